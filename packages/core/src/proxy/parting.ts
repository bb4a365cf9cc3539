import type { RequestFacts, RosterNode } from '../contracts/index.js'
import type { SplitPlan } from '../topology/index.js'
import type { Admitted } from './admit.js'
import type { ProxyContext } from './proxy-context.js'

/** Who asks, as far as that says where a request goes. */
export interface Asker {
  readonly facts: Pick<RequestFacts, 'session' | 'address'>
  /** Name of the key; undefined where none is asked for. */
  readonly client: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

export function askerOf({ facts, client, exchange }: Pick<Admitted, 'facts' | 'client' | 'exchange'>): Asker {
  return { facts, client, headers: exchange.head.headers }
}

/** Everybody behind a proxy on this machine comes from here: it names nobody. */
const LOCAL = /^(?:127\.|::1$|::ffff:127\.|unix|$)/

/**
 * Which revision one request belongs to, in a pool that has several. What failed at another one than the trusted belongs to the trusted one from then on, so that
 * no client has to suffer from a revision that is tried out.
 */
export class Parting {
  /** A copy of the request was made, and its answer is to be compared. */
  isCopied = false
  private hasMovedBack = false
  /** The trusted revision was asked. */
  private wasTrusted = false
  private insists = false
  private isOver = false
  private wanted: string | undefined
  private lot: number | undefined

  constructor(
    private plan: SplitPlan,
    private readonly asker: Asker,
    private readonly random: ProxyContext['random'],
  ) {}

  /** Shares may have changed while it waited or was answered. Undefined: the pool is not parted any more, and the revision that was trusted last is still the better one. */
  renew(plan: SplitPlan | undefined): void {
    this.isOver = plan === undefined
    if (plan === undefined || plan === this.plan) return
    this.plan = plan
    this.wanted = undefined
  }

  /** Whether the text of its answer is looked at. */
  get isWatched(): boolean {
    return this.plan.watch || this.isCopied
  }

  /** Requests that belong elsewhere by a header are of a kind of their own. */
  get isNamed(): boolean {
    return this.named !== undefined
  }

  /** What runs there. A node that says nothing of it is none of those that are tried out. */
  revisionOf({ revision }: Pick<RosterNode, 'revision'>): string {
    return revision ?? this.trusted
  }

  isTrusted(node: Pick<RosterNode, 'revision'>): boolean {
    return this.revisionOf(node) === this.trusted
  }

  /** It runs a revision of which nobody knows yet how good it is. */
  triesOut(node: Pick<RosterNode, 'revision'>): boolean {
    return !this.isOver && !this.isTrusted(node)
  }

  /** Its answers are not passed on unseen. */
  doubts(node: Pick<RosterNode, 'revision'>): boolean {
    return this.plan.watch && !this.isTrusted(node)
  }

  /** Whether requests may go there at all: not where nobody is to be answered from yet, unless one asks for it by name. */
  admits(node: Pick<RosterNode, 'revision'>): boolean {
    const revision = this.revisionOf(node)
    if (this.isOver || revision === this.trusted) return true
    if (this.isInsisting) return false
    if (revision === this.named) return true
    return this.plan.sides.some((side) => side.revision === revision && side.share > 0)
  }

  /** `backOnly`: as if it had failed elsewhere. */
  wants(node: Pick<RosterNode, 'revision'>, backOnly = false): boolean {
    return this.revisionOf(node) === (backOnly ? this.trusted : this.side)
  }

  /** The revision that it belongs to. */
  get side(): string {
    return this.hasMovedBack ? this.trusted : (this.wanted ??= this.named ?? this.byLot())
  }

  /** It belongs to a revision that is not the trusted one. */
  get isAway(): boolean {
    return this.side !== this.trusted
  }

  /** It failed there: true for the first time that this was not at the trusted revision. From then on it belongs to that. */
  moveBack(node: Pick<RosterNode, 'revision'>): boolean {
    if (this.hasMovedBack || this.isTrusted(node)) return false
    this.hasMovedBack = true
    return true
  }

  /** It failed elsewhere, and is owed a try there. */
  isDue(node: Pick<RosterNode, 'revision'>): boolean {
    return this.hasMovedBack && !this.wasTrusted && !this.triesOut(node)
  }

  /** A node is asked. */
  asks(node: Pick<RosterNode, 'revision'>): void {
    if (!this.triesOut(node)) this.settle()
  }

  /** The trusted revision is of no use to it. */
  settle(): void {
    this.wasTrusted = true
    this.insists = false
  }

  /** It failed elsewhere, and the trusted revision was not asked yet. */
  get isOwed(): boolean {
    return this.hasMovedBack && !this.wasTrusted && !this.isOver
  }

  /** From now on it goes to the trusted revision or nowhere. */
  insist(): void {
    this.insists = true
  }

  get isInsisting(): boolean {
    return this.insists && this.isOwed
  }

  /** True once: what failed it is as good as any by now, as the pool is parted no more or trusts another revision. */
  relents(tried: readonly Pick<RosterNode, 'revision'>[]): boolean {
    if (!this.insists || !(this.isOver || tried.some((node) => this.isTrusted(node)))) return false
    this.insists = false
    return true
  }

  get trusted(): string {
    return this.plan.sides[0]?.revision ?? ''
  }

  private get named(): string | undefined {
    const { header } = this.plan
    const value = header === undefined ? undefined : this.asker.headers[header.name]
    return value !== undefined && header !== undefined && Object.hasOwn(header.values, value) ? header.values[value] : undefined
  }

  private byLot(): string {
    const { sides } = this.plan
    const name = this.name
    if (name !== undefined) return highest(name, sides)
    let left = (this.lot ??= this.random.next()) * sides.reduce((sum, { share }) => sum + share, 0)
    for (const { revision, share } of sides.slice(1)) if ((left -= share) < 0) return revision
    return this.trusted
  }

  /** What keeps it where others of its kind went; undefined: nothing. */
  private get name(): string | undefined {
    const { session, address = '' } = this.asker.facts
    if (session !== undefined) return `session ${session}`
    if (!this.plan.sticky) return undefined
    if (this.asker.client !== undefined) return `key ${this.asker.client}`
    return LOCAL.test(address) ? undefined : `address ${address}`
  }
}

/**
 * Rendezvous by weight: each side draws a ticket for the name, the same at each time and in each thread, that is worth the more the larger its share is. So a
 * name leaves a side only for one whose share has grown beside it.
 */
function highest(name: string, sides: SplitPlan['sides']): string {
  let [best, most] = [sides[0]?.revision ?? '', -1]
  for (const { revision, share } of sides) {
    const worth = share <= 0 ? -1 : share / -Math.log(ticket(`${revision} ${name}`))
    if (worth > most) [best, most] = [revision, worth]
  }
  return best
}

/** Over 0 and below 1: 32 bits of FNV-1a with a last mix. */
function ticket(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 4_294_967_296
}
