import { join } from 'node:path'
import type { Clock } from '../../base/index.js'
import type { Logger, PluginHost } from '../../contracts/index.js'
import type { NodeJudge } from '../../health/index.js'
import type { Belief } from '../../insight/index.js'
import { createEccQuestion, localMachine, type GpuWatch } from '../../machines/index.js'
import type { Fleet } from '../../nodes/index.js'
import { EvidenceKeeper } from './evidence-keeper.js'
import { GpuHealth } from './gpu-health.js'
import { Watchdog } from './watchdog.js'

export interface WatchdogSeat {
  readonly clock: Clock
  readonly log: Logger
  readonly fleet: Fleet
  readonly belief: Belief
  readonly host: Pick<PluginHost, 'send'>
  readonly judge: () => NodeJudge
  /** Evidence is kept below it; undefined: none is kept. */
  readonly stateDir: string | undefined
  readonly gpus: GpuWatch
  readonly env: NodeJS.ProcessEnv
}

/** The watchdog, told of who joins and leaves. */
export function seatWatchdog({ clock, log, fleet, belief, host, judge, stateDir, gpus, env }: WatchdogSeat): Watchdog {
  const gpuHealth = new GpuHealth({
    clock,
    log,
    nodes: () => fleet.nodes(),
    watch: gpus,
    eccErrors: createEccQuestion(localMachine({ env })),
    eject: (nodeId, charge) => judge().eject(nodeId, charge),
  })
  const watchdog = new Watchdog({
    clock,
    log,
    belief,
    host,
    nodes: () => fleet.nodes(),
    eject: (nodeId, charge) => judge().eject(nodeId, charge),
    revive: (nodeId, why) => fleet.revive(nodeId, why),
    gpus: () => gpus.last,
    gpuHealth,
    ...(stateDir === undefined ? {} : { evidence: new EvidenceKeeper({ folder: join(stateDir, 'evidence'), log }) }),
  })
  fleet.events.on('membership', () => watchdog.sync())
  return watchdog
}
