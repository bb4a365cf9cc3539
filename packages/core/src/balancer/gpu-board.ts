import {
  GpuReservations,
  createGpuWatch,
  createRemoteGpuWatch,
  isOwnClaim,
  localMachine,
  type GpuHost,
  type GpuWatch,
  type RemoteGpuWatch,
  type LiveClaim,
  type SeenGpu,
  sshGpuMachine,
  SshLink,
} from '../machines/index.js'
import { systemClock, type Clock } from '../base/index.js'
import type { GpuProblem, GpuStatus } from '../control/index.js'

export interface GpuBoardOptions {
  readonly clock: Clock
  readonly env: NodeJS.ProcessEnv
  readonly topologyName: string
}

export interface GpuSnapshot {
  readonly gpus: readonly GpuStatus[]
  readonly problems: readonly GpuProblem[]
}

/** An accelerator in the words of the status. */
function shownGpu(gpu: SeenGpu, claims: readonly LiveClaim[], topologyName?: string, host: string | null = null): GpuStatus {
  const all = claims.filter((claim) => claim.key === gpu.key)
  const own = all.filter((claim) => topologyName !== undefined && isOwnClaim(claim, topologyName))
  return {
    key: gpu.key,
    host,
    vendor: gpu.vendor,
    index: gpu.index,
    uuid: gpu.uuid,
    pciBusId: gpu.pciBusId,
    name: gpu.name,
    memTotalMiB: gpu.memTotalMiB,
    memFreeMiB: gpu.memFreeMiB,
    utilization: gpu.utilization,
    temperatureC: gpu.temperatureC,
    unified: gpu.unified,
    seenAtMs: gpu.seenAtMs,
    migProfile: gpu.migProfile ?? null,
    broken: gpu.broken ?? null,
    nodes: own.map((claim) => claim.holder.slice(`${topologyName ?? ''}/`.length)),
    heldBy: all.filter((claim) => !own.includes(claim)).map((claim) => claim.holder),
  }
}

/** The accelerators of another machine; what is reserved there is not seen from here. Throws LB_SSH_FAILED. */
export async function surveyGpusOf({ name, ssh, sshConfig }: GpuHost, env: NodeJS.ProcessEnv): Promise<GpuSnapshot> {
  const link = new SshLink({ name, destination: ssh, env, ...(sshConfig === undefined ? {} : { configFile: sshConfig }) })
  try {
    const reading = await createGpuWatch(await sshGpuMachine(link), systemClock).read(0)
    return { gpus: reading.gpus.map((gpu) => shownGpu(gpu, [], undefined, name)), problems: reading.problems }
  } finally {
    link.close()
  }
}

/** The accelerators of this machine right now, without a balancer. */
export async function surveyGpus(env: NodeJS.ProcessEnv): Promise<GpuSnapshot> {
  const watch = createGpuWatch(localMachine({ env }), systemClock)
  const [reading, claims] = await Promise.all([watch.read(0), new GpuReservations(env).living()])
  return { gpus: reading.gpus.map((gpu) => shownGpu(gpu, claims)), problems: reading.problems }
}

const NOTHING: GpuSnapshot = { gpus: [], problems: [] }
/** Older figures are asked for anew, when somebody looks. */
const FRESH_MS = 5_000
/** Whoever looks after a long time wants figures of now. */
const STALE_MS = 15_000
/** Longest that one who looks is kept waiting: the first call of a tool is slow, and one may hang. */
const PATIENCE_MS = 1_500

/** The accelerators of this machine for those who look on: refreshed because somebody looks, and not otherwise. */
export class GpuBoard {
  readonly watch: GpuWatch
  readonly reservations: GpuReservations
  private shown: GpuSnapshot | undefined
  private shownAtMs = -Infinity
  private looking: Promise<void> | undefined
  private readonly remotes = new Map<string, { readonly name: string; readonly watch: RemoteGpuWatch }>()

  constructor(private readonly options: GpuBoardOptions) {
    this.watch = createGpuWatch(localMachine({ env: options.env }), options.clock)
    this.reservations = new GpuReservations(options.env)
  }

  /** What was last seen; asking for it brings the next look about. */
  current(): GpuSnapshot {
    if (this.options.clock.nowMs() - this.shownAtMs > FRESH_MS) void this.look()
    return this.shown ?? NOTHING
  }

  /** Resolves when there is something recent to show, or that takes too long. */
  freshened(): Promise<void> {
    if (this.options.clock.nowMs() - this.shownAtMs < STALE_MS) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.options.clock.after(PATIENCE_MS, resolve)
      void this.look().then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  /** The accelerators of another machine; from then on they are shown too. */
  watchOf(host: GpuHost): GpuWatch {
    const { name, ssh, sshConfig } = host
    const key = JSON.stringify([name, ssh.host, ssh.user, ssh.port, sshConfig])
    const { env, clock } = this.options
    const known = this.remotes.get(key) ?? { name, watch: createRemoteGpuWatch(host, env, clock) }
    this.remotes.set(key, known)
    return known.watch
  }

  /** Ends the links to other machines. */
  close(): void {
    for (const { watch } of this.remotes.values()) watch.close()
  }

  private look(): Promise<void> {
    this.looking ??= this.ask().finally(() => (this.looking = undefined))
    return this.looking
  }

  private async ask(): Promise<void> {
    const [reading, claims] = await Promise.all([this.watch.read(FRESH_MS), this.reservations.living()])
    const { topologyName } = this.options
    const remotes = [...this.remotes.values()]
    // Nobody waits for another machine: what it says next is for the next look.
    for (const { watch } of remotes) void watch.read(FRESH_MS)
    this.shown = {
      gpus: [
        ...reading.gpus.map((gpu) => shownGpu(gpu, claims, topologyName)),
        ...remotes.flatMap(({ name, watch }) => (watch.last?.gpus ?? []).map((gpu) => shownGpu(gpu, claims, topologyName, name))),
      ],
      problems: [...reading.problems, ...remotes.flatMap(({ watch }) => watch.last?.problems ?? [])],
    }
    this.shownAtMs = this.options.clock.nowMs()
  }
}
