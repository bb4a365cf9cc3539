import type { LaunchSlot } from '../contracts/index.js'
import type { PortReservation, SpawnedProcess } from '../machines/index.js'
import type { RecordedLaunch } from '../state/index.js'
import type { GpuSeat } from './gpu-seat.js'
import type { PreparedLaunch } from './prepare-launch.js'
import type { RemoteLaunch } from './remote-launch.js'

/** The process of one life; one that was taken over can be looked at and let go. */
export interface LifeProcess extends SpawnedProcess {
  look?(): void
  release?(): void
}

/** One life of a launched engine: from its spawn, or its adoption, to the end of all that it started. */
export interface Life {
  readonly process: LifeProcess
  /** Held while it lives. */
  readonly ports: readonly PortReservation[]
  readonly slot: LaunchSlot
  /** Its accelerators; absent where nobody chose, or while it sleeps. */
  seat?: Pick<GpuSeat, 'release'> | undefined
  /** The engine runs on another machine; the process here stands in for it. */
  readonly remote?: RemoteLaunch
  readonly mark: string
  readonly logPath: string
  /** What the state file keeps of it. */
  readonly record: RecordedLaunch
  /** Monotonic. */
  readonly startedAtMs: number
  /** Counter of the kernel when it began. */
  readonly oomKills: number | undefined
}

/** What is taken before a launch and given back after its end. */
export interface HeldForLaunch {
  readonly ports: readonly PortReservation[]
  readonly mark: string
  readonly seat?: GpuSeat
}

/** What a later balancer needs to take it over. */
export function launchRecord(
  { slot: { port, extraPorts, gpus }, hash, remote }: PreparedLaunch,
  begun: Pick<RecordedLaunch, 'startedAtMs' | 'logFrom'>,
): RecordedLaunch {
  return {
    hash,
    port,
    extraPorts,
    ...(gpus === undefined ? {} : { gpus }),
    ...(remote === undefined ? {} : { host: remote.host }),
    ...begun,
  }
}
