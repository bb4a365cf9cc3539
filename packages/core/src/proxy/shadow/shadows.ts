import type { TimerHandle } from '../../base/index.js'
import type { Roster, RosterNode, ShadowAnswer } from '../../contracts/index.js'
import { likeness } from '../../dialects/index.js'
import { messageOf } from '../../errors/index.js'
import type { Admitted } from '../admit.js'
import type { Walk } from '../walk.js'
import { orderFor } from '../order-for.js'
import type { ProxyContext } from '../proxy-context.js'
import { rounded, ShadowCall, wholeText, type CopyEnd } from './shadow-call.js'

/** Of copied bodies at one moment in each data thread, beside the memory for those of clients. */
const MOST_BYTES = 64 * 1024 * 1024
/** Copying a larger one would hold all others up for longer than they notice. */
const LARGEST_BYTES = 8 * 1024 * 1024
/** An answer that takes longer is compared with none. */
const LONGEST_MS = 600_000

/** A request that was copied: told what became of the real one. */
export interface Copied {
  mainEnded(walk: Walk | undefined): void
}

/** Copies of requests, at a revision that answers nobody. Whatever becomes of them, no client, no statistics and no budget hears of it. */
export class Shadows {
  private readonly inFlight = new Map<string, number>()
  private readonly copies = new Set<Copy>()
  private bytes = 0

  /** Copies a share of the requests, as long as few copies are under way. Undefined: not this one. Never throws. */
  copy(context: ProxyContext, request: Admitted): Copied | undefined {
    const shadow = request.pool.split?.shadow
    if (shadow === undefined || context.random.next() >= shadow.share) return undefined
    const { pool, scan, parting } = request
    const bytes = scan.body.byteLength
    const isFull = (this.inFlight.get(pool.name) ?? 0) >= shadow.maxInFlight || this.bytes + bytes > MOST_BYTES
    // What may be what makes engines crash is not sent to one more.
    if (isFull || bytes > LARGEST_BYTES || parting === undefined || context.quarantine.guardOf(request) !== undefined) return undefined
    const node = leastBusy(context, request, shadow.revision)
    if (node === undefined) return undefined
    try {
      const onLeft = (): void => {
        this.copies.delete(copy)
        this.count(pool.name, -1, -bytes)
      }
      const copy: Copy = new Copy(context, request, { node, revision: shadow.revision, onLeft })
      this.copies.add(copy)
      this.count(pool.name, 1, bytes)
      parting.isCopied = true
      return copy.begun()
    } catch (bug) {
      context.log.error('shadow.failed', { request: request.requestId, node: node.id, error: messageOf(bug) })
      return undefined
    }
  }

  /** Nodes have changed: one that is to end must not wait for copies. */
  nodesChanged({ nodes }: Roster): void {
    if (this.copies.size === 0) return
    const ready = new Set(nodes.filter(({ state }) => state === 'ready').map(({ connectionKey }) => connectionKey))
    for (const copy of this.copies) if (!ready.has(copy.connectionKey)) copy.giveUp()
  }

  private count(pool: string, copies: number, bytes: number): void {
    this.inFlight.set(pool, (this.inFlight.get(pool) ?? 0) + copies)
    this.bytes += bytes
  }
}

function leastBusy(context: ProxyContext, { pool, face }: Admitted, revision: string): RosterNode | undefined {
  const { rosters, leases } = context
  let [best, least] = [undefined as RosterNode | undefined, Infinity]
  for (const node of rosters.current().nodes) {
    if (node.pool !== pool.name || node.revision !== revision || node.state !== 'ready' || node.role === 'prefill') continue
    if (node.dialect.paths[face] === undefined) continue
    const load = (leases.of(node).inFlight + 1) / node.weight
    if (load < least) [best, least] = [node, load]
  }
  return best
}

interface CopyOptions {
  readonly node: RosterNode
  readonly revision: string
  /** Its node has answered, or is asked no longer. */
  readonly onLeft: () => void
}

class Copy implements Copied {
  private readonly call: ShadowCall
  /** With a body of its own: the memory of the client's is given back when the real request ends, and holds that of another client then. */
  private readonly copied: Admitted
  private main: { readonly answer: ShadowAnswer; readonly text: string | undefined } | undefined
  private end: CopyEnd | undefined
  private hasLeft = false
  private patience: TimerHandle | undefined

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly options: CopyOptions,
  ) {
    const { node } = options
    const scan = { ...request.scan, body: Buffer.from(request.scan.body) }
    this.copied = { ...request, requestId: `${request.requestId}-copy`, scan }
    const lease = context.leases.open(node, request.facts)
    const onEnd = (end: CopyEnd): void => {
      this.left()
      this.end = end
      this.tell()
    }
    this.call = new ShadowCall({ request: this.copied, node, lease, nowMs: () => context.clock.nowMs(), onEnd })
  }

  begun(): this {
    const { context, copied, options, call } = this
    try {
      call.began(context.upstream.dispatch(orderFor(copied, options.node), call))
    } catch (bug) {
      this.giveUp()
      throw bug
    }
    if (!this.hasLeft) this.patience = context.wheel.after(LONGEST_MS, () => this.giveUp())
    return this
  }

  get connectionKey(): string {
    return this.options.node.connectionKey
  }

  mainEnded(walk: Walk | undefined): void {
    const asked = walk?.attempts.at(-1)
    const { end } = walk ?? {}
    // Without an answer to compare with, the copy is of no use to anybody.
    if (walk === undefined || end === undefined || asked === undefined || end.outcome === 'cancelled') return this.giveUp()
    const { request, context } = this
    const status = end.status ?? 0
    const isWhole = end.outcome === 'answered' && status < 400
    const { firstContentAtMs, usage, watch } = end
    const answer: ShadowAnswer = {
      node: walk.node?.id ?? null,
      status,
      failure: isWhole ? null : (end.reason ?? (status >= 400 ? `it answered ${status}` : end.outcome)),
      ttftMs: rounded(
        request.scan.stream && firstContentAtMs !== undefined ? firstContentAtMs - request.arrivedMs - asked.startedMs : undefined,
      ),
      totalMs: rounded(context.clock.nowMs() - request.arrivedMs - asked.startedMs),
      completionTokens: usage?.completionTokens ?? (request.scan.stream ? end.contentEvents : null),
      quality: asked.quality ?? watch?.quality() ?? null,
    }
    this.main = { answer, text: wholeText(watch) }
    this.tell()
  }

  giveUp(): void {
    this.call.giveUp()
    this.left()
  }

  private left(): void {
    if (this.hasLeft) return
    this.hasLeft = true
    this.patience?.cancel()
    this.options.onLeft()
  }

  private tell(): void {
    const { main, end, request, options, context } = this
    if (main === undefined || end === undefined) return
    const [one, other] = [main.text, end.text]
    const areThere = one !== undefined && other !== undefined
    context.onShadow({
      id: request.requestId,
      pool: request.pool.name,
      revision: options.revision,
      main: main.answer,
      copy: end.answer,
      sameText: areThere && one === other,
      similarity: areThere ? likeness(one, other) : null,
    })
  }
}
