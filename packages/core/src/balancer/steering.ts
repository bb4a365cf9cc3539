import type { RequestRecord, ShadowPair } from '../contracts/index.js'
import type { ResidencyDesk } from '../residency/index.js'
import type { RolloutDesk } from '../rollout/index.js'
import type { ScaleDesk } from '../autoscale/index.js'
import type { Topology } from '../topology/index.js'
import type { Assembly } from './assembly.js'
import type { EventLog } from './event-log.js'
import type { Resolved } from './resolved-options.js'
import { RunningPlans } from './running-plans.js'
import { seatResidency } from './seat-residency.js'
import { seatRollouts } from './seat-rollouts.js'
import { seatScale } from './seat-scale.js'

/** A room that changes the running topology by itself. */
export interface SteeringRoom {
  /** No node was begun yet: says with `plans.prepare` what shall be begun otherwise than declared. */
  prepare?(): void
  /** The file has changed, and nothing of it was applied yet: the same once more. */
  redeclared?(): void
  /** The nodes of the topology were begun: goes on with what an earlier balancer was at. */
  begin(): Promise<void>
  /** A request has ended. */
  settled?(record: RequestRecord): void
  /** A request has ended, and so has its copy. */
  shadowed?(pair: ShadowPair): void
  /** Other requests wait in line than before: `assembly.standing()` tells how many. */
  lineChanged?(): void
  /** The balancer closes: begins nothing more, and leaves what it is at for the next one. */
  stop(): void
}

/** What such a room is given. */
export interface SteeringParts {
  readonly assembly: Assembly
  readonly options: Resolved
  readonly plans: RunningPlans
  readonly eventLog: EventLog
}

/** All that changes the running topology by itself. */
export class Steering {
  readonly plans: RunningPlans
  readonly rollouts: RolloutDesk & SteeringRoom
  readonly scale: ScaleDesk & SteeringRoom
  readonly residency: ResidencyDesk & SteeringRoom

  constructor(declared: Topology, parts: Omit<SteeringParts, 'plans'>) {
    const { assembly, options } = parts
    const apply = async (topology: Topology): Promise<void> => {
      assembly.use(topology)
      await assembly.join(topology)
    }
    this.plans = new RunningPlans(declared, { stateDir: options.stateDir, log: options.log, apply })
    this.rollouts = seatRollouts({ ...parts, plans: this.plans })
    this.scale = seatScale({ ...parts, plans: this.plans, rollouts: this.rollouts })
    this.residency = seatResidency({ ...parts, plans: this.plans, rollouts: this.rollouts })
  }

  prepare(): void {
    for (const room of this.rooms) room.prepare?.()
  }

  redeclared(): void {
    for (const room of this.rooms) room.redeclared?.()
  }

  async begin(): Promise<void> {
    for (const room of this.rooms) await room.begin()
  }

  settled(record: RequestRecord): void {
    for (const room of this.rooms) room.settled?.(record)
  }

  shadowed(pair: ShadowPair): void {
    for (const room of this.rooms) room.shadowed?.(pair)
  }

  lineChanged(): void {
    for (const room of this.rooms) room.lineChanged?.()
  }

  stop(): void {
    for (const room of this.rooms) room.stop()
  }

  private get rooms(): readonly SteeringRoom[] {
    return [this.rollouts, this.scale, this.residency]
  }
}
