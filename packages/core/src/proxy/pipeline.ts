import type { HeaderView } from '../contracts/index.js'
import { isLbError, LbError, messageOf } from '../errors/index.js'
import { accept, type Accepted } from './accept.js'
import { account } from './account.js'
import { admit, type Admitted } from './admit.js'
import { attempts, type Walk } from './attempts.js'
import { Delivery } from './delivery.js'
import type { Entered, ProxyContext, ProxyRequest } from './proxy-context.js'

/** The corridor of one request: accept, admit, pick and forward (attempts), account. Never rejects. */
export async function pipeline(context: ProxyContext, request: ProxyRequest): Promise<void> {
  const arrivedAtMs = context.clock.epochMs()
  const arrivedMs = context.clock.nowMs()
  const entered = enter(context, request)
  let accepted: Accepted | undefined
  let admitted: Admitted | undefined
  let walk: Walk | undefined
  let error: LbError | undefined
  try {
    const accepting = accept(context, entered)
    accepted = accepting instanceof Promise ? await accepting : accepting
    admitted = admit(context, accepted)
    walk = await attempts(context, admitted, arrivedMs)
    error = walk.error
  } catch (thrown) {
    error = named(context, request, thrown)
  } finally {
    if (error === undefined) entered.delivery.close()
    else entered.delivery.fail(error, walkHeaders(walk))
    accepted?.releaseBody()
    account(context, { request, arrivedAtMs, arrivedMs, admitted, walk, error })
  }
}

function enter(context: ProxyContext, { exchange, face, requestId }: ProxyRequest): Entered {
  const delivery = new Delivery({ exchange, requestId, wheel: context.wheel, heartbeatMs: context.limits().heartbeatMs })
  return { exchange, face, requestId, delivery }
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
