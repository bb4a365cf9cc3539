import type { TimerHandle } from '../../base/index.js'
import type { RosterNode, WarmUpCount, WarmUpOrder, WarmUpRun } from '../../contracts/index.js'
import { messageOf } from '../../errors/index.js'
import type { ProxyContext } from '../proxy-context.js'
import type { HotPrompt } from './hot-prompt.js'
import { OneTokenCall } from './one-token-call.js'

/** So many prompts are at the node at one moment: engines compute a few together faster than one after the other. */
const AT_ONCE = 4
const LOOK_EVERY_MS = 50

type Context = Pick<ProxyContext, 'hotPrompts' | 'quarantine' | 'leases' | 'upstream' | 'rosters' | 'wheel' | 'log'>

/** Has a node compute what is asked most in its pool, a few prompts at a time. Undefined where none is known that it may see. */
export function warmNode(context: Context, order: WarmUpOrder): WarmUpRun | undefined {
  const { node } = order
  const prompts = context.hotPrompts
    .hottest(node.pool, (prompt) => suits(node, prompt) && !context.quarantine.knows(prompt))
    .slice(0, order.prompts)
  return prompts.length === 0 ? undefined : new Warming(context, order, prompts)
}

/** What computes no prompts for itself needs none; what lacks a label that a client asked for must not see its prompt. */
function suits(node: RosterNode, { face, model, neededTokens, requiredLabels }: HotPrompt): boolean {
  return (
    node.role !== 'decode' &&
    node.dialect.paths[face] !== undefined &&
    (node.serves === undefined || node.model !== undefined || node.serves.includes(model)) &&
    (node.contextTokens === undefined || neededTokens <= node.contextTokens) &&
    (requiredLabels ?? []).every(([name, value]) => node.labels?.[name] === value)
  )
}

class Warming implements WarmUpRun {
  readonly over: Promise<WarmUpCount>
  private readonly running = new Set<OneTokenCall>()
  private sent = 0
  private computed = 0
  private failed = 0
  private late: TimerHandle | undefined
  private looking: TimerHandle | undefined
  private end: (count: WarmUpCount) => void = () => undefined
  private isOver = false

  constructor(
    private readonly context: Context,
    private readonly order: WarmUpOrder,
    private readonly prompts: readonly HotPrompt[],
  ) {
    this.over = new Promise((resolve) => (this.end = resolve))
    this.late = context.wheel.after(order.withinMs, () => this.stop())
    order.signal.addEventListener('abort', () => this.stop(), { once: true })
    if (order.signal.aborted) this.stop()
    else this.look()
    this.fill()
  }

  get total(): number {
    return this.prompts.length
  }

  private get count(): WarmUpCount {
    const { computed, failed, total } = this
    return { computed, failed, total }
  }

  private fill(): void {
    while (!this.isOver && this.running.size < AT_ONCE && this.sent < this.total) this.send(this.sent++)
    if (this.computed + this.failed === this.total) this.stop()
  }

  private send(position: number): void {
    const { context, order } = this
    const prompt = this.prompts[position]
    if (prompt === undefined) return
    const id = `warm-up-${position + 1}`
    let call: OneTokenCall | undefined
    const onEnd = (computed: boolean): void => this.ended(call, computed)
    try {
      call = new OneTokenCall(context, { node: order.node, prompt, id, withinMs: order.withinMs, onEnd })
      if (!call.isOver) this.running.add(call)
    } catch (bug) {
      context.log.error('warm_up.failed', { node: order.node.id, error: messageOf(bug) })
      this.ended(undefined, false)
    }
  }

  private ended(call: OneTokenCall | undefined, computed: boolean): void {
    if (this.isOver) return
    if (call !== undefined) this.running.delete(call)
    if (computed) this.computed += 1
    else this.failed += 1
    this.order.onProgress(this.count)
    // A turn of its own: a node that refuses connections must not grow the stack.
    queueMicrotask(() => this.fill())
  }

  /** Where no other node takes requests, clients get this one at once, and what warms it must not stand in their way. */
  private look(): void {
    const { rosters, leases, wheel } = this.context
    const { node } = this.order
    const isAlone = rosters.current().routable(node.pool)[0]?.state !== 'ready'
    if (isAlone && leases.of(node).inFlight > this.running.size) return this.stop()
    this.looking = wheel.after(LOOK_EVERY_MS, () => this.look())
  }

  private stop(): void {
    if (this.isOver) return
    this.isOver = true
    this.late?.cancel()
    this.looking?.cancel()
    for (const call of this.running) call.giveUp()
    this.running.clear()
    this.end(this.count)
  }
}
