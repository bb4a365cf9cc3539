import type { RequestFacts } from '../contracts/index.js'
import { prefixHashes } from '../dialects/index.js'
import { LbError } from '../errors/index.js'
import { AdmittedFacts } from './admitted-facts.js'
import type { Accepted } from './accept.js'
import type { PoolRoute, ProxyContext } from './proxy-context.js'

/** A request that belongs to a pool. */
export interface Admitted extends Accepted {
  readonly pool: PoolRoute
  readonly facts: RequestFacts
}

/** Sixteen kilobytes of compressed speech are a second, and Whisper reads fifty frames of it. */
const AUDIO_BYTES_PER_TOKEN = 320

/** Finds the pool by the model's name and estimates the work. Throws LB_UNKNOWN_MODEL (404) or LB_MODEL_MISSING (400). */
export function admit(context: ProxyContext, request: Accepted): Admitted {
  const { scan } = request
  const pool = poolFor(context, scan.model)
  const bodyBytes = scan.body.byteLength
  const facts: RequestFacts = new AdmittedFacts({
    id: request.requestId,
    face: request.face,
    model: scan.model ?? pool.models[0] ?? '',
    stream: scan.stream,
    bodyBytes,
    promptTokens:
      request.face === 'openai-transcriptions'
        ? Math.ceil(bodyBytes / AUDIO_BYTES_PER_TOKEN)
        : context.estimates.prompt(pool.name, bodyBytes),
    outputTokens: request.face === 'openai-embeddings' ? 0 : context.estimates.output(pool.name, scan.maxTokens),
    prefixHashes: prefixHashes(scan, context.salt),
    session: request.exchange.head.headers['x-session-id'],
    client: request.exchange.peer.address,
    sloTtftMs: undefined,
  })
  const { exchange, face, requestId, delivery, share, arrivedAtMs, arrivedMs } = request
  return { exchange, face, requestId, delivery, share, arrivedAtMs, arrivedMs, scan, pool, facts }
}

function poolFor(context: ProxyContext, model: string | undefined): PoolRoute {
  const directory = context.pools()
  const pool = model === undefined ? directory.only : directory.poolOf(model)
  if (pool !== undefined) return pool
  const known = `this gateway serves: ${directory.models.join(', ')}`
  if (model === undefined)
    throw new LbError('the request names no model', { code: 'LB_MODEL_MISSING', source: 'client', httpStatus: 400, hint: known })
  throw new LbError(`the model ${JSON.stringify(model.slice(0, 200))} does not exist here`, {
    code: 'LB_UNKNOWN_MODEL',
    source: 'client',
    httpStatus: 404,
    hint: known,
  })
}
