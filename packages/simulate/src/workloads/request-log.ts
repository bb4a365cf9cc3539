import type { RequestRecord } from '@plimsoll/core/routing'
import { linesOf, type Line } from './lines.js'
import { badTrace } from './trace-error.js'

/** What a replay reads of a record of `gateway.requestLog`. */
export interface LoggedRequest extends Pick<RequestRecord, 'arrivedAtMs' | 'pool' | 'node' | 'ttftMs' | 'totalMs' | 'cachedTokens'> {
  readonly stream: boolean
  readonly promptTokens: number
  readonly completionTokens: number
  /** Hexadecimal, first block first. */
  readonly prefixHashes: readonly string[]
}

export interface RequestLog {
  /** Of one pool, in order of arrival. */
  readonly requests: readonly LoggedRequest[]
  readonly pool: string | null
  /** Lines that no engine answered or that are no generation. */
  readonly leftOut: number
}

const HINT = 'the file is a request log as `gateway.requestLog` of a topology writes it: one JSON record in each line'
const ANSWERED: ReadonlySet<unknown> = new Set(['ok', 'cut', 'client-gone'] satisfies RequestRecord['outcome'][])
const GENERATIONS: ReadonlySet<unknown> = new Set(['openai-chat', 'openai-completions'] satisfies RequestRecord['face'][])

/** True for JSON lines, false for CSV; looks at the first character. */
export function isRequestLog(bytes: Buffer): boolean {
  for (const { text } of linesOf(bytes)) return text.trimStart().startsWith('{')
  return false
}

/** Reads the request log of one pool; `pool` may be left out where there is only one. Throws LB_BAD_TRACE. */
export function parseRequestLog(bytes: Buffer, file: string, pool?: string): RequestLog {
  const byPool = new Map<string | null, LoggedRequest[]>()
  let lines = 0
  for (const line of linesOf(bytes)) {
    const record = recordOf(line, file)
    if (record === undefined) continue
    lines++
    const request = requestOf(record, { file, line: line.number })
    if (request !== undefined) (byPool.get(request.pool) ?? set(byPool, request.pool)).push(request)
  }
  const chosen = choosePool([...byPool.keys()], file, pool)
  const requests = (byPool.get(chosen) ?? []).toSorted((one, other) => one.arrivedAtMs - other.arrivedAtMs)
  const answered = [...byPool.values()].reduce((sum, list) => sum + list.length, 0)
  return { requests, pool: chosen, leftOut: lines - answered }
}

function set(byPool: Map<string | null, LoggedRequest[]>, pool: string | null): LoggedRequest[] {
  const list: LoggedRequest[] = []
  byPool.set(pool, list)
  return list
}

/** Undefined for a last line that was cut while it was written. */
function recordOf(line: Line, file: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line.text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    if (line.unfinished) return undefined
    const at = /position (\d+)/.exec(String(error))?.[1]
    throw badTrace({ file, line: line.number, column: Number(at ?? 0) + 1 }, 'is no JSON', HINT)
  }
  throw badTrace({ file, line: line.number, column: 1 }, 'is no JSON object', HINT)
}

/** Undefined for what a replay cannot send again. */
function requestOf(record: Record<string, unknown>, place: { file: string; line: number }): LoggedRequest | undefined {
  if (record['v'] !== 1) throw badTrace(place, `has v ${JSON.stringify(record['v'])}; this lb reads records of version 1`, HINT)
  if (!ANSWERED.has(record['outcome']) || !GENERATIONS.has(record['face'])) return undefined
  const promptTokens = numberOf(record, 'promptTokens', place)
  const completionTokens = numberOf(record, 'completionTokens', place)
  const arrivedAtMs = numberOf(record, 'arrivedAtMs', place)
  const totalMs = numberOf(record, 'totalMs', place)
  if (promptTokens < 1 || completionTokens < 1) return undefined
  return {
    arrivedAtMs,
    promptTokens: Math.round(promptTokens),
    completionTokens: Math.round(completionTokens),
    totalMs,
    stream: record['stream'] === true,
    pool: textOrNull(record['pool']),
    node: textOrNull(record['node']),
    ttftMs: numberOrNull(record['ttftMs']),
    cachedTokens: numberOrNull(record['cachedTokens']),
    prefixHashes: hashesOf(record['prefixHashes'], place),
  }
}

function numberOf(record: Record<string, unknown>, name: string, place: { file: string; line: number }): number {
  const value = record[name]
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value
  throw badTrace(place, `${name} is ${JSON.stringify(value) ?? 'missing'}, not a number of 0 or more`, HINT)
}

function hashesOf(value: unknown, place: { file: string; line: number }): readonly string[] {
  if (Array.isArray(value) && value.every((hash) => typeof hash === 'string' && /^[0-9a-f]{13}$/.test(hash))) return value as string[]
  throw badTrace(place, 'prefixHashes is no list of hashes of 13 hexadecimal digits', HINT)
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function choosePool(pools: readonly (string | null)[], file: string, wanted: string | undefined): string | null {
  const names = pools.map((pool) => pool ?? '(none)').join(', ')
  if (pools.length === 0) throw badTrace({ file }, 'has no answered request that could be sent again', HINT)
  if (wanted !== undefined && pools.includes(wanted)) return wanted
  if (wanted !== undefined) throw badTrace({ file }, `has no answered request of pool ${wanted}; it has those of ${names}`, 'see --pool')
  const [only, ...others] = pools
  if (others.length === 0) return only ?? null
  throw badTrace({ file }, `has requests of several pools: ${names}`, 'choose one with --pool')
}
