import type { RequestFacts } from '../contracts/index.js'
import { prefixHashes, type HandedOver, type RequestScan } from '../dialects/index.js'
import { LbError } from '../errors/index.js'
import { tenantOf, type PromptEstimate, type Tenant } from '../insight/index.js'
import { AdmittedFacts } from './admitted-facts.js'
import { requiredLabels, sloTtftMsOf, type Labels } from './asked-headers.js'
import type { Tracing } from './decision-tracer.js'
import { askerOf, Parting } from './parting.js'
import type { Entered, PoolRoute, ProxyContext } from './proxy-context.js'
import type { Guard } from './quarantine/index.js'
import { sessionOf } from './session-of.js'
import { silentTokens } from './silent-tokens.js'

/** A request that belongs to a pool. */
export interface Admitted extends Entered {
  /** Its body, read once and whole. */
  readonly scan: RequestScan
  readonly pool: PoolRoute
  readonly facts: RequestFacts
  /** Undefined for sound. */
  readonly estimate: PromptEstimate | undefined
  readonly tenant: Tenant
  /** Labels that a node must have; undefined: none. */
  readonly requiredLabels: Labels | undefined
  /** Prompt and answer, as long as they may be: what a node's context must hold. */
  readonly neededTokens: number
  /** Where another node computed the prompt; for the first try at a node of the role `decode`. */
  readonly handedOver?: HandedOver
  /** What computed it runs; absent: its pool has one revision. */
  readonly handedBy?: string | undefined
  /** Where a node went away while it computed the prompt: who goes along from then on. */
  readonly guard?: Guard | undefined
  /** Which revision it belongs to; undefined where the pool has one. Renewed while it waits. */
  parting: Parting | undefined
  /** Undefined for all but the few whose choices are told. */
  readonly tracing: Tracing | undefined
}

/** Sixteen kilobytes of compressed speech are a second, and Whisper reads fifty frames of it. */
const AUDIO_BYTES_PER_TOKEN = 320

/** Prompts are taken to be so much longer than estimated, where they might not fit. */
const CONTEXT_MARGIN = 1.25
const LOCAL = /^(?:127\.|::1$|::ffff:127\.|unix|$)/

/** Finds the pool by the model's name and estimates the work. Throws LB_UNKNOWN_MODEL (404), LB_MODEL_MISSING or LB_BAD_HEADER (400). */
export function admit(context: ProxyContext, request: Entered, scan: RequestScan): Admitted {
  const { headers } = request.exchange.head
  const pool = poolFor(context, scan.model)
  const bodyBytes = scan.body.byteLength
  const session = sessionOf({ headers, scan, header: pool.sessionHeader })
  const { address } = request.exchange.peer
  const hashes = prefixHashes(scan, context.salt)
  const tenant = tenantOf(request.client, hashes, address)
  const estimate = request.face === 'openai-transcriptions' ? undefined : context.estimates.prompt(pool.name, scan.body)
  const outputTokens = request.face === 'openai-embeddings' ? 0 : context.estimates.output(pool.name, tenant, scan.maxTokens)
  const facts: RequestFacts = new AdmittedFacts({
    id: request.requestId,
    face: request.face,
    model: scan.model ?? pool.models[0] ?? '',
    stream: scan.stream,
    bodyBytes,
    promptTokens: estimate?.tokens ?? Math.ceil(bodyBytes / AUDIO_BYTES_PER_TOKEN),
    outputTokens,
    silentTokens: silentTokens(scan, { face: request.face, bodyBytes, outputTokens }),
    prefixHashes: hashes,
    session: session?.name,
    client: request.client ?? address,
    address,
    sloTtftMs: sloTtftMsOf(headers),
  })
  const { exchange, face, requestId, client, delivery, share, arrivedAtMs, arrivedMs } = request
  return {
    exchange,
    face,
    requestId,
    client,
    delivery,
    share,
    arrivedAtMs,
    arrivedMs,
    scan,
    pool,
    facts,
    estimate,
    tenant,
    requiredLabels: requiredLabels(headers, pool.requiredLabels),
    neededTokens: neededTokens(facts, scan.maxTokens),
    parting: pool.split === undefined ? undefined : new Parting(pool.split, askerOf({ facts, client, exchange }), context.random),
    tracing: tracingOf(context, request, session?.from),
  }
}

/** Sound is no text; nobody knows how much of a context it takes. */
function neededTokens({ face, promptTokens, outputTokens }: RequestFacts, maxTokens: number | undefined): number {
  return face === 'openai-transcriptions' ? 0 : Math.ceil(promptTokens * CONTEXT_MARGIN) + (maxTokens ?? outputTokens)
}

/** Who has a key, or is on this machine, may ask for it. */
function tracingOf(context: ProxyContext, { exchange, client }: Entered, sessionFrom: string | undefined): Tracing | undefined {
  const asked = exchange.head.headers['x-lb-trace'] === '1' && (client !== undefined || LOCAL.test(exchange.peer.address))
  if (!asked && !context.tracer.takesSample()) return undefined
  return { askedFor: asked, sessionFrom: sessionFrom ?? null, waits: false }
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
