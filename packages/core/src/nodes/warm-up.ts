import type { Clock } from '../base/index.js'
import type { Logger, NodeState, NodeWarmer, WarmUpCount, WarmUpRun } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { Node } from './node.js'
import { viewOf } from './roster-view.js'

/** A node has computed what is asked most, or as much of it as there was time for, and takes requests. */
export interface NodeWarmed extends WarmUpCount {
  readonly node: string
  readonly tookMs: number
}

export interface WarmUpOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly warmer?: NodeWarmer
  readonly onWarmed: (news: NodeWarmed) => void
}

/** How far it is, for people. */
export function warmUpWords(done: number, total: number): string {
  return `${done}/${total} prompts that are asked most`
}

/** What one node does between the first good word of a life and its first request: it computes what is asked most. Nothing of it keeps the node away. */
export class WarmUp {
  private cut: AbortController | undefined
  /** The last one ended with its engine: a prompt may be what ends engines, and the next life begins without. */
  private isBarred = false

  constructor(
    private readonly node: Node,
    private readonly options: WarmUpOptions,
  ) {}

  /** Of so many prompts; `node.warmed` is called when it is over. Undefined: there is none. */
  begin(): number | undefined {
    this.stop()
    const cut = new AbortController()
    const run = this.isBarred ? undefined : this.runUntil(cut)
    this.isBarred = false
    if (run === undefined) return undefined
    this.cut = cut
    void this.follow(run, cut)
    return run.total
  }

  /** The node is not to be warmed any longer: something else has become of it. */
  stop(state?: NodeState): void {
    if (this.cut !== undefined) this.isBarred = state === 'failed' || state === 'suspect'
    this.cut?.abort()
    this.cut = undefined
  }

  private runUntil(cut: AbortController): WarmUpRun | undefined {
    const { node, options } = this
    const { warmUp } = node.plan.group
    const view = viewOf(node)
    // The cache of an engine that was taken over is as warm as it was.
    const isTakenOver = node.endpoint?.adopted === true && node.incarnation === 1
    if (warmUp === undefined || view === undefined || isTakenOver) return undefined
    const onProgress = ({ computed, failed, total }: WarmUpCount): void => {
      if (this.cut === cut) node.showWarmUp(computed + failed, total)
    }
    try {
      return options.warmer?.warm({ node: view, ...warmUp, signal: cut.signal, onProgress })
    } catch (error) {
      options.log.error('node.warm_up_failed', { node: node.id, error: messageOf(error) })
      return undefined
    }
  }

  private async follow({ over }: WarmUpRun, cut: AbortController): Promise<void> {
    const { node, options } = this
    const sinceMs = options.clock.nowMs()
    try {
      const count = await over
      node.countWarmUp(count)
      if (this.cut === cut) this.told({ node: node.id, ...count, tookMs: Math.round(options.clock.nowMs() - sinceMs) })
    } catch (error) {
      options.log.error('node.warm_up_failed', { node: node.id, error: messageOf(error) })
    }
    if (this.cut !== cut) return
    this.cut = undefined
    node.warmed()
  }

  private told(news: NodeWarmed): void {
    this.options.log.info('node.warmed', { ...news })
    this.options.onWarmed(news)
  }
}
