import { join } from 'node:path'
import type { Clock } from '../../base/index.js'
import type { Logger, PluginHost } from '../../contracts/index.js'
import type { NodeJudge } from '../../health/index.js'
import type { Belief } from '../../insight/index.js'
import type { GpuWatch } from '../../machines/index.js'
import type { Fleet } from '../../nodes/index.js'
import { EvidenceKeeper } from './evidence-keeper.js'
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
}

/** The watchdog, told of who joins and leaves. */
export function seatWatchdog({ clock, log, fleet, belief, host, judge, stateDir, gpus }: WatchdogSeat): Watchdog {
  const watchdog = new Watchdog({
    clock,
    log,
    belief,
    host,
    nodes: () => fleet.nodes(),
    eject: (nodeId, charge) => judge().eject(nodeId, charge),
    revive: (nodeId, why) => fleet.revive(nodeId, why),
    gpus: () => gpus.last,
    ...(stateDir === undefined ? {} : { evidence: new EvidenceKeeper({ folder: join(stateDir, 'evidence'), log }) }),
  })
  fleet.events.on('membership', () => watchdog.sync())
  return watchdog
}
