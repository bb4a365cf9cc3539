import type { RequestRecord, ShadowPair } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { ResidencyDesk } from '../residency/index.js'
import type { RolloutDesk } from '../rollout/index.js'
import type { ScaleDesk } from '../autoscale/index.js'
import type { Topology } from '../topology/index.js'
import { applySteered } from './apply-steered.js'
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
  /** A request that a revision which is tried out has failed waits for the trusted one; it ends later. */
  sentBack?(record: RequestRecord): void
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

  constructor(
    declared: Topology,
    private readonly parts: Omit<SteeringParts, 'plans'>,
  ) {
    const { assembly, options } = parts
    const apply = (topology: Topology, before: Topology | undefined): Promise<void> => applySteered(assembly, topology, before)
    this.plans = new RunningPlans(declared, { stateDir: options.stateDir, log: options.log, apply })
    this.rollouts = seatRollouts({ ...parts, plans: this.plans })
    this.scale = seatScale({ ...parts, plans: this.plans, rollouts: this.rollouts })
    this.residency = seatResidency({ ...parts, plans: this.plans, rollouts: this.rollouts })
  }

  prepare(): void {
    this.each('prepare', (room) => room.prepare?.())
  }

  redeclared(): void {
    this.each('redeclared', (room) => room.redeclared?.())
  }

  async begin(): Promise<void> {
    for (const room of this.rooms) {
      try {
        await room.begin()
      } catch (error) {
        this.failed('begin', error)
      }
    }
  }

  settled(record: RequestRecord): void {
    this.each('settled', (room) => room.settled?.(record))
  }

  sentBack(record: RequestRecord): void {
    this.each('sent back', (room) => room.sentBack?.(record))
  }

  shadowed(pair: ShadowPair): void {
    this.each('shadowed', (room) => room.shadowed?.(pair))
  }

  lineChanged(): void {
    this.each('line', (room) => room.lineChanged?.())
  }

  stop(): void {
    this.each('stop', (room) => room.stop())
  }

  /** What fails in one of them must cost no request anything, nor the start. */
  private each(what: string, tell: (room: SteeringRoom) => void): void {
    for (const room of this.rooms) {
      try {
        tell(room)
      } catch (error) {
        this.failed(what, error)
      }
    }
  }

  private failed(what: string, error: unknown): void {
    this.parts.options.log.error('steering.failed', { what, error: messageOf(error) })
  }

  private get rooms(): readonly SteeringRoom[] {
    return [this.rollouts, this.scale, this.residency]
  }
}
