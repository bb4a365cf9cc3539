import type { NodeRows, NodeWarmer } from '../contracts/index.js'
import { atMost } from './at-most.js'
import { LaunchedRunner } from './launched-runner.js'
import type { NodePlan } from './node-plan.js'
import { AttachedRunner, type NodeRunner, type RunnerContext } from './node-runner.js'
import { Node, type LifeEnded, type NodeChange } from './node.js'
import { Rest } from './rest.js'
import { untilEmpty } from './until-empty.js'
import { WarmUp, type NodeWarmed } from './warm-up.js'

export interface MemberContext extends RunnerContext {
  readonly leases: NodeRows
  /** Resolves once every data path knows the roster of now; absent: they know it at once. */
  readonly heard?: () => Promise<void>
  /** Has new nodes compute what is asked most; absent: nobody does. */
  readonly warmer?: NodeWarmer
  /** Ends all waits, and engines without asking. */
  readonly cut: AbortSignal
  /** When a closing balancer waits no longer. */
  readonly closeByMs: () => number
  readonly onChange: (change: NodeChange) => void
  /** It shows something else, in the same state. */
  readonly onAbilities: () => void
  readonly onLifeEnded: (end: LifeEnded) => void
  readonly onWarmed: (news: NodeWarmed) => void
}

/** A slow start of one node (a check before its launch, an old engine that must end first) keeps the others waiting no longer. */
const START_PATIENCE_MS = 1_000

/** One node of a fleet with who runs it: how it begins, gets empty and ends. */
export class FleetMember {
  readonly node: Node
  readonly runner: NodeRunner
  readonly rest: Rest

  constructor(
    plan: NodePlan,
    private readonly context: MemberContext,
  ) {
    const { clock, log, leases, cut, heard = () => Promise.resolve() } = context
    const index = leases.takeRow()
    this.node = new Node(index, plan, clock, context.onChange, context.onAbilities, context.onLifeEnded)
    const { launch } = plan.group
    this.runner = launch === undefined ? new AttachedRunner(this.node, context) : new LaunchedRunner(this.node, launch, context)
    this.node.warmUp = new WarmUp(this.node, context)
    this.rest = new Rest(this.node, this.runner, { clock, log, heard, inFlight: () => leases.countOf(index), cut })
  }

  /** Resolves when its start has begun, or takes its time. */
  async start(): Promise<void> {
    const { clock, log } = this.context
    const begun = this.runner.start().then(() => this.rest.begun())
    await atMost(clock, START_PATIENCE_MS, begun)
    log.info('node.started', { node: this.node.id, url: this.node.endpoint?.url })
  }

  /** Resolves when no request is on it, the time that its pool gives a drain is up, or a closing balancer waits no longer. */
  emptied(deadlineMs = this.context.clock.nowMs() + this.node.plan.pool.drainMs): Promise<void> {
    const { clock, leases, cut, closeByMs } = this.context
    const { node } = this
    const isOurs = node.plan.group.launch !== undefined && node.state === 'draining'
    return untilEmpty({
      clock,
      count: () => leases.countOf(node.index),
      backend: isOurs ? node.endpoint?.backend : undefined,
      deadlineMs: () => Math.min(deadlineMs, closeByMs()),
      cut,
      timeoutMs: node.plan.pool.health.timeoutMs,
    })
  }

  /** It drains already: waits until it is empty, and ends its engine, or lets go of it. */
  async end(engines: 'stop' | 'leave'): Promise<void> {
    this.rest.stop()
    await this.emptied(Infinity)
    if (engines === 'leave') this.runner.leave()
    else await this.runner.stop(this.context.cut)
  }
}
