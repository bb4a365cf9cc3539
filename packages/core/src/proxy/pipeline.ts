import type { HeaderView } from '../contracts/index.js'
import { isLbError, LbError, messageOf } from '../errors/index.js'
import { accept, type Accepted } from './accept.js'
import { account } from './account.js'
import { admit, type Admitted } from './admit.js'
import { attempts, type Walk } from './attempts.js'
import { Delivery } from './delivery.js'
import type { Entered, ProxyContext, ProxyRequest } from './proxy-context.js'

/** How far a request came before its end. */
interface Progress {
  accepted?: Accepted
  admitted?: Admitted
  walk?: Walk
}

/**
 * The corridor of one request: accept, admit, pick and forward (attempts), account. Each stage runs in the turn in which what it waits for is there;
 * `done` is called once, at the very end.
 */
export function pipeline(context: ProxyContext, request: ProxyRequest, done: () => void): void {
  const entered = enter(context, request)
  const settle = (progress: Progress, thrown?: unknown): void => {
    const error = thrown === undefined ? progress.walk?.error : named(context, request, thrown)
    if (error === undefined) entered.delivery.close()
    else entered.delivery.fail(error, walkHeaders(progress.walk))
    progress.accepted?.releaseBody()
    account(context, { entered, admitted: progress.admitted, walk: progress.walk, error })
    done()
  }
  const proceed = (accepted: Accepted): void => {
    const progress: Progress = { accepted }
    try {
      const admitted = admit(context, accepted)
      progress.admitted = admitted
      attempts(context, admitted, (walk) => settle({ accepted, admitted, walk }))
    } catch (thrown) {
      settle(progress, thrown)
    }
  }
  try {
    const accepting = accept(context, entered)
    if (accepting instanceof Promise) accepting.then(proceed, (thrown: unknown) => settle({}, thrown)).catch((bug: unknown) => void named(context, request, bug))
    else proceed(accepting)
  } catch (thrown) {
    settle({}, thrown)
  }
}

function enter(context: ProxyContext, { exchange, face, requestId }: ProxyRequest): Entered {
  const delivery = new Delivery(exchange, requestId, context.wheel, context.limits().heartbeatMs)
  return { exchange, face, requestId, delivery, arrivedAtMs: context.clock.epochMs(), arrivedMs: context.clock.nowMs() }
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
