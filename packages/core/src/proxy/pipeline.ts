import type { HeaderView } from '../contracts/index.js'
import type { RequestScan } from '../dialects/index.js'
import { isLbError, LbError, messageOf } from '../errors/index.js'
import { giveBodyMemory } from '../wire/index.js'
import { accept } from './accept.js'
import { account } from './account.js'
import { admit, type Admitted } from './admit.js'
import { attempts, type Walked } from './attempts.js'
import { Delivery } from './delivery.js'
import { endedEarly, handOver, isHandedOver, withLegs } from './hand-over.js'
import type { Entered, ProxyContext, ProxyRequest } from './proxy-context.js'
import type { Copied } from './shadow/shadows.js'
import type { Walk } from './walk.js'

/**
 * The corridor of one request: accept, admit, pick and forward (attempts), account. Each stage runs in the turn in which what it waits for is there;
 * `done` is called once, at the very end.
 */
export function pipeline(context: ProxyContext, request: ProxyRequest, done: () => void): void {
  new Passage(context, enter(context, request), done).begin()
}

class Passage implements Walked {
  private admitted: Admitted | undefined
  private walk: Walk | undefined
  /** The same request at a revision that answers nobody. */
  private copied: Copied | undefined

  constructor(
    private readonly context: ProxyContext,
    /** Once it is admitted, that: the two say the same, and a long answer holds one of them. */
    private entered: Entered,
    private readonly done: () => void,
  ) {}

  begin(): void {
    try {
      const accepting = accept(this.context, this.entered)
      if (!(accepting instanceof Promise)) return this.proceed(accepting)
      accepting.then(
        (scan) => this.proceed(scan),
        (thrown: unknown) => this.settle(thrown),
      )
    } catch (thrown) {
      this.settle(thrown)
    }
  }

  private proceed(scan: RequestScan): void {
    const { context, entered } = this
    try {
      if (scan.stream) entered.delivery.startHeartbeats(context.limits().heartbeatMs, context.random.next())
      const admitted = admit(context, entered, scan)
      this.entered = this.admitted = admitted
      if (admitted.parting !== undefined) this.copied = context.shadows.copy(context, admitted)
      if (isHandedOver(context, admitted)) this.handOver(admitted)
      else attempts(context, admitted, this)
    } catch (thrown) {
      this.settle(thrown)
    }
  }

  private handOver(admitted: Admitted): void {
    const { context } = this
    handOver(context, admitted, (handed) => {
      if (handed.request === undefined) this.walked(withLegs(endedEarly(handed), handed))
      else attempts(context, handed.request, { walked: (walk) => this.walked(withLegs(walk, handed)) })
    })
  }

  walked(walk: Walk): void {
    this.walk = walk
    this.settle()
  }

  private settle(thrown?: unknown): void {
    const { context, entered, admitted, walk } = this
    const error = thrown === undefined ? walk?.error : named(context, entered, thrown)
    if (error === undefined) entered.delivery.close()
    else entered.delivery.fail(error, walkHeaders(walk))
    entered.share.release()
    if (admitted !== undefined && isServed(walk)) context.hotPrompts.answered(admitted)
    if (admitted !== undefined && walk?.isBodyFree === true) giveBodyMemory(admitted.scan.body)
    account(context, { entered, admitted, walk, error })
    this.copied?.mainEnded(walk)
    this.done()
  }
}

function enter(context: ProxyContext, { exchange, face, requestId, client }: ProxyRequest): Entered {
  const delivery = new Delivery(exchange, requestId, context.wheel)
  const share = context.bodies.open(context.limits().maxBodiesBytes)
  return { exchange, face, requestId, client, delivery, share, arrivedAtMs: context.clock.epochMs(), arrivedMs: context.clock.nowMs() }
}

/** Whole, and not by a refusal. */
function isServed(walk: Walk | undefined): boolean {
  return walk?.error === undefined && walk?.end?.outcome === 'answered' && walk.end.status !== undefined && walk.end.status < 300
}

function walkHeaders(walk: Walk | undefined): HeaderView {
  if (walk === undefined) return {}
  return { 'x-lb-attempts': String(walk.attempts.length), ...(walk.node === undefined ? {} : { 'x-lb-node': walk.node.id }) }
}

/** Anything without a name is a bug of ours: the client is told so, the log gets the details. */
function named(context: ProxyContext, request: ProxyRequest, thrown: unknown): LbError {
  if (isLbError(thrown)) return thrown
  context.log.error('proxy.bug', {
    request: request.requestId,
    error: messageOf(thrown),
    stack: thrown instanceof Error ? thrown.stack : undefined,
  })
  return new LbError('lb failed on this request; its log says more', { code: 'LB_BUG', source: 'lb', httpStatus: 500, cause: thrown })
}
