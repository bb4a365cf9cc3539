import type { AttemptRecord, RosterNode } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'
import type { Walk } from './walk.js'
import { computePrompt, type PromptEnd } from './compute-prompt.js'
import { isFreeForTrial } from './filters.js'
import { tellOutcome } from './outcome-of.js'
import type { ProxyContext } from './proxy-context.js'
import type { Guard, Guarded } from './quarantine/index.js'
import { asError, clientLeft } from './unanswered.js'

/** What came of having the prompt computed elsewhere. */
export interface HandOverEnd {
  /** Nodes that were asked to compute it. */
  readonly legs: readonly AttemptRecord[]
  /** None of them is still being sent the body. */
  readonly isBodyFree: boolean
  /** The request for the node that answers; undefined: it goes no further. */
  readonly request: Admitted | undefined
  /** Why it goes no further. */
  readonly error: LbError | undefined
}

/** Adds what was done before a node was chosen to what was done after. */
export function withLegs(walk: Walk, { legs, isBodyFree }: HandOverEnd): Walk {
  return legs.length === 0 ? walk : { ...walk, attempts: [...legs, ...walk.attempts], isBodyFree: walk.isBodyFree && isBodyFree }
}

/** The walk of a request that went no further. */
export function endedEarly({ error, isBodyFree }: HandOverEnd): Walk {
  return { attempts: [], node: undefined, inLineMs: 0, end: undefined, isBodyFree, error }
}

/** Whether another node is to compute the prompt first. */
export function isHandedOver(context: ProxyContext, request: Admitted): boolean {
  const { pool, facts } = request
  return pool.handover !== undefined && facts.promptTokens >= pool.handover.minPromptTokens && canBeHandedOver(context, request)
}

/**
 * Where a pool parts its nodes by role: has a node of the role `prefill` compute the prompt, before one of the role `decode` is chosen, which then
 * answers with what the first computed. A node that fails is followed by another; when none does it,
 * the node that answers computes the prompt itself, unless the pool forbids that.
 */
export function handOver(context: ProxyContext, request: Admitted, next: (end: HandOverEnd) => void): void {
  new HandOver(context, request, next).again()
}

/** Somebody must be there to take the prompt over. A client that names a computed prompt itself knows what it wants; a form is no prompt. */
function canBeHandedOver({ rosters }: ProxyContext, { pool, face, scan, parting }: Admitted): boolean {
  if (scan.delimiter !== undefined) return false
  const takes = (node: RosterNode): boolean => {
    const { handover } = node.dialect
    return (
      node.role === 'decode' &&
      isOfItsRevision(node, parting) &&
      handover?.faces.includes(face) === true &&
      !scan.fields.has(handover.field)
    )
  }
  return rosters.current().routable(pool.name).some(takes)
}

class HandOver implements Guarded {
  private readonly legs: AttemptRecord[] = []
  private readonly tried: RosterNode[] = []
  private isBodyFree = true
  /** Of a request that may be what makes engines crash. */
  private guard: Guard | undefined

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly next: (end: HandOverEnd) => void,
  ) {
    this.guard = context.quarantine.guardOf(request)
  }

  again(): void {
    if (this.guard?.holds(this) === true) return
    const node = this.untried()
    if (node === undefined) return this.withoutIt()
    this.tried.push(node)
    const sentAtMs = this.context.clock.nowMs()
    const startedMs = Math.round(100 * (sentAtMs - this.request.arrivedMs)) / 100
    computePrompt(this.context, this.request, node, (end) => {
      this.watch(node, this.context.clock.nowMs() - sentAtMs, end)
      this.ended(node, startedMs, end)
    })
  }

  /** Where the request would be refused otherwise, what a revision that is tried out has failed goes back to the trusted one. */
  private untried(): RosterNode | undefined {
    const { tried } = this
    const { pool, parting } = this.request
    const node = tried.length > pool.retries.max ? undefined : this.leastBusy()
    if (node !== undefined || pool.handover?.orServe !== false || !tried.some((each) => parting?.moveBack(each) === true)) return node
    return this.leastBusy()
  }

  /** A computed prompt clears nobody: what answers may crash on it yet. What crashes where a revision is tried out says nothing of the request. */
  private watch(node: RosterNode, atNodeMs: number, { outcome, verdict }: PromptEnd): void {
    if (this.guard === undefined && this.request.parting?.isTrusted(node) === false) return
    const end = { outcome: outcome === 'answered' ? 'cancelled' : outcome, verdict, contentEvents: 0 } as const
    this.guard = this.context.quarantine.after(this.guard, this.request, { node, atNodeMs, end })
  }

  /** For the guard. */
  candidates(): readonly string[] {
    const node = this.leastBusy()
    return node === undefined ? [] : [node.id]
  }

  /** The guard lets it go no further. */
  stopped(error: LbError): void {
    this.stop(error)
  }

  private ended(node: RosterNode, startedMs: number, end: PromptEnd): void {
    const { outcome, reason, handedOver } = end
    this.legs.push({ node: node.id, startedMs, outcome, ...(reason === undefined ? {} : { reason }), leg: 'prefill' })
    this.isBodyFree &&= end.isSent
    tellOutcome(this.context, node, end)
    if (outcome === 'cancelled') return this.stop(clientLeft())
    if (handedOver !== undefined) {
      const { parting } = this.request
      return this.later(() => this.goOn({ ...this.request, handedOver, handedBy: parting?.revisionOf(node) }))
    }
    // What is wrong with the request is wrong everywhere, and the node that answers says it in the engine's words.
    if (end.isClientsFault === true) return this.later(() => this.goOn(this.request))
    this.context.log.warn('prefill.failed', { request: this.request.requestId, node: node.id, outcome, reason })
    this.later(() => this.again())
  }

  /** A turn of its own, so that a chain of refused connects never grows the stack, and a bug in what follows is caught. */
  private later(act: () => void): void {
    queueMicrotask(() => {
      try {
        act()
      } catch (thrown) {
        this.stop(asError(thrown))
      }
    })
  }

  private withoutIt(): void {
    const { pool } = this.request
    if (pool.handover?.orServe !== false) return this.goOn(this.request)
    const last = this.legs.at(-1)
    const why = last === undefined ? 'none of them takes requests' : `the last one, ${last.node}: ${last.reason ?? last.outcome}`
    const error = new LbError(`no node of role prefill in pool ${pool.name} computed the prompt; ${why}`, {
      code: 'LB_PREFILL_FAILED',
      source: 'engine',
      httpStatus: 503,
      retry: 'after-wait',
      retryAfterMs: 1_000,
      hint: 'with `handover: { orServe: true }` the node that answers computes it itself',
    })
    this.stop(error)
  }

  private goOn(request: Admitted): void {
    const guarded = this.guard === undefined ? request : { ...request, guard: this.guard }
    this.next({ legs: this.legs, isBodyFree: this.isBodyFree, request: guarded, error: undefined })
  }

  private stop(error: LbError): void {
    this.next({ legs: this.legs, isBodyFree: this.isBodyFree, request: undefined, error })
  }

  /** By the prompt tokens that wait there with those of this request that its cache lacks, for its weight. */
  private leastBusy(): RosterNode | undefined {
    const { context, request, tried } = this
    const able = context.rosters
      .current()
      .routable(request.pool.name)
      .filter((node) => canCompute(node, request) && !tried.some(({ id }) => id === node.id))
    const nowMs = context.clock.nowMs()
    const rested = able.filter((node) => context.cooldowns.leftMs(node, nowMs) === 0 && isFreeForTrial(node, context))
    const alone = able.filter(({ id }) => id === this.guard?.only)
    const nodes = alone.length > 0 ? alone : rested.length > 0 ? rested : able
    const { promisedTokens } = context.leases.cachedTokens(request.facts, nodes)
    let [best, least] = [undefined as RosterNode | undefined, Infinity]
    for (const [position, node] of nodes.entries()) {
      const { prefillTokens, inFlight } = context.leases.of(node)
      const ahead = (prefillTokens + Math.max(1, request.facts.promptTokens - (promisedTokens[position] ?? 0)) + inFlight) / node.weight
      if (ahead < least) [best, least] = [node, ahead]
    }
    return best
  }
}

function canCompute(node: RosterNode, { face, parting }: Admitted): boolean {
  return node.role === 'prefill' && isOfItsRevision(node, parting) && node.dialect.handover?.faces.includes(face) === true
}

/** What one revision computed is nothing to the weights of another. */
function isOfItsRevision(node: RosterNode, parting: Admitted['parting']): boolean {
  return parting?.wants(node) !== false
}
