import type { ScaleTrigger } from '../topology/index.js'

/** Where a trigger is asked; undefined for one that asks nobody. */
export function urlOf({ kind, url = '', query = '' }: ScaleTrigger): string | undefined {
  if (kind === 'gpu') return undefined
  if (kind === 'url') return url
  const asked = new URL(`${url.replace(/\/+$/, '')}/api/v1/query`)
  asked.searchParams.set('query', query)
  return asked.href
}

/** The number in an answer. Throws with what is there instead. */
export function numberIn(text: string, { kind, path }: ScaleTrigger): number {
  if (kind === 'prometheus') return sampleIn(jsonIn(text))
  const value: unknown = path === undefined ? text.trim() : valueAt(jsonIn(text), path)
  return numberOf(value, path === undefined ? 'the answer' : path)
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`the answer is no JSON: ${JSON.stringify(text.trim().slice(0, 60))}`)
  }
}

/** An instant query has a vector with one element, or a scalar; an empty vector counts nothing. */
function sampleIn(answer: unknown): number {
  const { status, data, error } = (answer ?? {}) as { status?: unknown; data?: { resultType?: unknown; result?: unknown }; error?: unknown }
  if (status !== 'success') throw new Error(`the query failed: ${typeof error === 'string' ? error.slice(0, 200) : 'no reason given'}`)
  const result = Array.isArray(data?.result) ? (data.result as unknown[]) : []
  if (data?.resultType === 'scalar') return numberOf(result[1], 'the scalar')
  if (data?.resultType !== 'vector') throw new Error(`the query has a ${String(data?.resultType)} as its answer, not one number`)
  if (result.length > 1) throw new Error(`the query has ${result.length} series as its answer, not one; sum() makes one of them`)
  const [only] = result as { value?: readonly unknown[] }[]
  return only === undefined ? 0 : numberOf(only.value?.[1], 'the sample')
}

function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined), value)
}

function numberOf(value: unknown, what: string): number {
  const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  if (Number.isFinite(number)) return number
  throw new Error(`${what} is no number: ${JSON.stringify(value)?.slice(0, 60) ?? 'nothing'}`)
}
