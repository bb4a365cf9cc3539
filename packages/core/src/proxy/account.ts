import type { RequestOutcome, RequestRecord, Usage } from '../contracts/index.js'
import { NO_HASHES } from '../dialects/index.js'
import type { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'
import type { Walk } from './walk.js'
import type { Entered, ProxyContext } from './proxy-context.js'

/** What is known of a request, however early that is told. */
export interface Ended {
  readonly entered: Entered
  readonly admitted: Admitted | undefined
  readonly walk: Walk | undefined
  readonly error: LbError | undefined
}

/** Writes the one record of a request and teaches the estimates. Runs exactly once. */
export function account(context: ProxyContext, ended: Ended): void {
  const { admitted, walk } = ended
  const usage = walk?.end?.usage
  if (usage !== undefined && admitted !== undefined) learn(context, admitted, usage)
  context.onSettled(recordOf(context, ended))
}

/** While it is being put together. */
type Draft = { -readonly [Key in keyof RequestRecord]: RequestRecord[Key] }

/** Of a request as it stands now. */
export function recordOf({ clock }: Pick<ProxyContext, 'clock'>, ended: Ended): RequestRecord {
  const { admitted, walk, entered } = ended
  const usage = walk?.end?.usage
  const firstMs = walk?.end?.firstContentAtMs
  const outcome = outcomeOf(ended)
  const record: Draft = {
    v: 1,
    id: entered.requestId,
    arrivedAtMs: entered.arrivedAtMs,
    face: entered.face,
    pool: admitted?.pool.name ?? null,
    model: admitted?.facts.model ?? null,
    stream: admitted?.facts.stream ?? false,
    node: walk?.node?.id ?? null,
    attempts: walk?.attempts ?? [],
    status: statusOf(ended, outcome),
    outcome,
    errorCode: ended.error?.code ?? null,
    bodyBytes: admitted?.facts.bodyBytes ?? 0,
    promptTokens: usage?.promptTokens ?? admitted?.facts.promptTokens ?? 0,
    completionTokens: usage?.completionTokens ?? walk?.end?.contentEvents ?? 0,
    cachedTokens: usage?.cachedTokens ?? null,
    inLineMs: walk?.inLineMs ?? 0,
    tokensMeasured: usage !== undefined,
    ttftMs: admitted?.facts.stream === true && firstMs !== undefined ? rounded(firstMs - entered.arrivedMs) : null,
    totalMs: rounded(clock.nowMs() - entered.arrivedMs),
    prefixHashes: admitted?.facts.prefixHashes ?? NO_HASHES,
  }
  // Set afterwards: a literal with a spread in it is built twice.
  if (usage !== undefined) record.believed = believed(ended)
  return record
}

function learn(context: ProxyContext, { pool, facts, estimate, tenant }: Admitted, usage: Usage): void {
  context.estimates.learn({ pool: pool.name, bodyBytes: facts.bodyBytes, script: estimate?.script, tenant, usage })
}

/** What was believed before the engine counted. */
function believed({ admitted, walk }: Ended): NonNullable<RequestRecord['believed']> {
  return { promptTokens: admitted?.facts.promptTokens ?? 0, cachedTokens: Math.round(walk?.end?.believedCachedTokens ?? 0) }
}

function outcomeOf({ walk, error }: Ended): RequestOutcome {
  if (error?.code === 'LB_CLIENT_GONE' || walk?.end?.outcome === 'cancelled') return 'client-gone'
  if (error !== undefined) return error.source === 'client' ? 'client-error' : error.httpStatus === 503 ? 'unavailable' : 'engine-error'
  // A begun stream that no other node took up, or could.
  if (walk?.end?.isLost === true || walk?.end?.resumption !== undefined) return 'cut'
  const status = walk?.end?.status ?? 0
  return status >= 500 ? 'engine-error' : status >= 400 ? 'client-error' : 'ok'
}

function statusOf({ walk, error }: Ended, outcome: RequestOutcome): number {
  if (outcome === 'client-gone') return 499
  return error?.httpStatus ?? walk?.end?.status ?? 0
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
