import type { Clock } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { isComing } from './coming.js'
import type { NodeRunner } from './node-runner.js'
import type { Node } from './node.js'
import { restingOf, restWayOf, restWords, type RestWay } from './rest-way.js'
import { untilEmpty } from './until-empty.js'
import { within } from './within.js'

export interface RestOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Resolves once every data path knows the roster of now: nobody sends a node that drains anything from then on. */
  readonly heard: () => Promise<void>
  /** Requests of ours on the node. */
  readonly inFlight: () => number
  /** Ends all waits, and engines without asking. */
  readonly cut: AbortSignal
}

/** Longest wait for a data path to hear of it: one that hangs sends nothing. */
const HEARD_WITHIN_MS = 5_000
/** Longest wait for an engine to fall asleep or to let go of its model; work in flight has ended before. */
const SLEEP_WITHIN_MS = 60_000
const EMPTY_WITHIN_MS = 30_000
/** Longest wait for one to be back, where neither its group nor its pool says how long. */
const WAKE_WITHIN_MS = 600_000
const ASKED_WITHIN_MS = 5_000
const POLL_MS = 20
const PROBE_MS = 100

/**
 * Brings one node to where its plan wants it: at rest (`rests`), or awake. Work in flight ends first, however long it takes. One thing at a time; the
 * newest wish counts, and one that comes while the node still drains calls it back.
 */
export class Rest {
  private working = false
  private over = false

  constructor(
    private readonly node: Node,
    private readonly runner: NodeRunner,
    private readonly options: RestOptions,
  ) {}

  /** It was started for the first time here. An engine that was taken over may sleep, whatever was meant when its balancer died. */
  async begun(): Promise<void> {
    const { node } = this
    const way = restWayOf(node)
    if (way === 'stop' || way === 'idle' || !(await this.maySleep(way))) return this.follow()
    node.restsBy = way
    // One thing at a time: told to rest meanwhile, it does so after that.
    this.working = true
    await this.wake().finally(() => {
      this.working = false
      this.follow()
    })
  }

  /** In a pool that takes turns it is woken whatever it says; in any other, where it says that it sleeps: the file may have been edited while no balancer ran. */
  private async maySleep(way: RestWay): Promise<boolean> {
    const { node } = this
    const isFound = (): boolean => !this.shallRest && node.endpoint?.adopted === true && isComing(node)
    if (!isFound() || node.plan.pool.residency !== undefined) return isFound()
    if (way !== 'sleep') return false
    const asked = within({ ...this.options, withinMs: ASKED_WITHIN_MS }, (signal) => node.endpoint?.backend.load?.(signal))
    const facts = await asked.catch(() => undefined)
    return facts?.asleep === true && isFound()
  }

  /** The plan may be another one now. */
  follow(): void {
    if (this.working || !this.isDue) return
    this.working = true
    void this.work().finally(() => {
      this.working = false
      this.follow()
    })
  }

  /** The node leaves, or the balancer closes. */
  stop(): void {
    this.over = true
  }

  private get shallRest(): boolean {
    return this.node.plan.group.rests === true
  }

  private get isDue(): boolean {
    return !this.over && !this.options.cut.aborted && this.shallRest !== (this.node.state === 'asleep')
  }

  private async work(): Promise<void> {
    const { node, options } = this
    try {
      await (this.shallRest ? this.goToRest() : this.wake())
    } catch (error) {
      options.log.error('node.rest_failed', { node: node.id, error: messageOf(error) })
      // Whatever went wrong: a node that shall rest gets no requests, one that shall not is begun anew.
      if (this.over) return
      if (isServing(node)) node.move('drain')
      node.move(this.shallRest ? 'sleep' : 'stop', messageOf(error))
      if (!this.shallRest) await this.runner.start()
    }
  }

  private async goToRest(): Promise<void> {
    const { node } = this
    await this.emptied()
    if (this.over) return
    if (!this.shallRest) return this.callBack()
    const by = await this.giveBack()
    if (this.over) return
    node.restsBy = by.way
    if (isServing(node)) node.move('drain')
    node.move('sleep', by.problem === undefined ? restWords[by.way] : `${restWords[by.way]} (${by.problem})`)
  }

  /** Work of ours ends in its own time; that an engine of ours is empty too, it may tell within a while. */
  private async emptied(): Promise<void> {
    const { clock, inFlight, cut } = this.options
    const { node } = this
    const isOver = (): boolean => this.over || cut.aborted || !this.shallRest
    while (!isOver() && (isServing(node) || inFlight() > 0)) {
      // Somebody may have called it back by hand: it drains again.
      if (isServing(node)) node.move('drain', 'makes room: ends what it has, then rests')
      await Promise.race([this.options.heard(), this.pause(HEARD_WITHIN_MS)])
      await this.pause(POLL_MS)
    }
    const untilMs = clock.nowMs() + EMPTY_WITHIN_MS
    const isOurs = node.plan.group.launch !== undefined && this.runner.hasEndpoint
    await untilEmpty({
      clock,
      cut,
      count: inFlight,
      backend: isOurs ? node.endpoint?.backend : undefined,
      deadlineMs: () => (isOver() ? -Infinity : untilMs),
      timeoutMs: node.plan.pool.health.timeoutMs,
    })
  }

  /** Wanted again before it was at rest. */
  private async callBack(): Promise<void> {
    const { node, runner } = this
    if (node.state === 'draining' && node.wasReady && runner.hasEndpoint) return node.move('resume')
    node.move('stop')
    await runner.start()
  }

  /** What cannot sleep or unload after all is stopped, where it was launched. */
  private async giveBack(): Promise<{ readonly way: RestWay; readonly problem?: string }> {
    const { node, runner, options } = this
    const way = runner.hasEndpoint ? restWayOf(node) : 'stop'
    let problem: string | undefined
    try {
      await within({ ...options, withinMs: SLEEP_WITHIN_MS }, (signal) => restingOf(node, way)?.sleep(signal))
      if (way !== 'stop') runner.leaveSeat?.()
      if (way !== 'stop') return { way }
    } catch (error) {
      problem = messageOf(error)
      options.log.warn('node.cannot_rest', { node: node.id, way, error: problem })
    }
    const said = problem === undefined ? {} : { problem }
    if (node.plan.group.launch === undefined) return { way: 'idle', ...said }
    await runner.stop(options.cut)
    return { way: 'stop', ...said }
  }

  private async wake(): Promise<void> {
    const { node, runner } = this
    const { endpoint, restsBy = 'stop' } = node
    const resting = restingOf(node, restsBy)
    if (endpoint === undefined || !runner.hasEndpoint || restsBy === 'stop') return runner.start()
    // Its prefix cache is gone, and so is all that was known of it: a new life of the same engine.
    node.setEndpoint({ ...endpoint })
    node.isBeingWoken = true
    node.move('start', 'is being woken')
    try {
      await runner.retakeSeat?.()
      const { group, pool } = node.plan
      const waitsMs = pool.residency?.wakeWithinMs ?? WAKE_WITHIN_MS
      // Who sleeps is back in seconds; a load takes its time, and is worth more than those who waited.
      const withinMs = group.launch?.readyWithinMs ?? (restsBy === 'sleep' ? waitsMs : Math.max(WAKE_WITHIN_MS, waitsMs))
      await within({ ...this.options, withinMs }, async (signal) => {
        await resting?.wake(signal)
        await this.untilReady(signal)
      })
    } catch (error) {
      node.isBeingWoken = false
      await this.wakeFailed(messageOf(error))
    } finally {
      node.isBeingWoken = false
    }
  }

  /** It is asked here: its probes come as seldom as those of any node that is long up. */
  private async untilReady(signal: AbortSignal): Promise<void> {
    const { node } = this
    const backend = node.endpoint?.backend
    if (backend === undefined) return
    while (!this.over && isComing(node)) {
      const report = await backend.probe(signal)
      node.learn(report)
      if (report.verdict === 'ready') return node.move('steady')
      node.move('loading', report.reason)
      signal.throwIfAborted()
      await this.pause(Math.max(PROBE_MS, backend.minProbeIntervalMs))
    }
  }

  /** An engine of ours is begun anew; another's is left to its probes. */
  private async wakeFailed(why: string): Promise<void> {
    const { node, runner, options } = this
    options.log.warn('node.cannot_wake', { node: node.id, error: why })
    if (this.over || !isComing(node)) return
    node.move('fail', `could not be woken: ${why}`)
    if (node.plan.group.launch === undefined) return
    await runner.stop(options.cut)
    if (!this.over && !this.shallRest) await runner.start()
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.options.clock.after(ms, resolve))
  }
}

/** It may be sent requests. */
function isServing({ state }: Node): boolean {
  return state === 'ready' || state === 'warming' || state === 'suspect'
}
