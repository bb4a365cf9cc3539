import type { Continuation, ExactContinuation, Face, TextContinuation, ToldTokens } from '../contracts/index.js'

/** Runs one function of a plugin, and tells where it fails or answers what it may not. */
export type Safely = <Value>(what: string, ask: () => Value, otherwise: Value, isKnown: (value: unknown) => boolean) => Value

/** What goes into requests of clients, and is taken out of answers, must be what it says. Undefined where it is not. */
export function guardContinuation(given: Continuation, safely: Safely): Continuation | undefined {
  const { text, exact } = given as Partial<Record<keyof Continuation, unknown>>
  if (!isRecord(text) || !Object.values(text).every(isText)) return undefined
  if (exact === undefined) return given
  if (!isRecord(exact) || !Object.values(exact).every(isExact)) return undefined
  const guarded = Object.entries(given.exact ?? {}).map(([face, how]) => [face as Face, guardedExact(how, safely)])
  return { text: given.text, exact: Object.fromEntries(guarded) as Continuation['exact'] & object }
}

function guardedExact(how: ExactContinuation, safely: Safely): ExactContinuation {
  const tokensOf = (value: unknown): ToldTokens | undefined =>
    safely<ToldTokens | undefined>('continuation.tokensOf', () => how.tokensOf(value), undefined, isTold)
  return { ...how, tokensOf }
}

function isText(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { set = {}, echoes = false } = value as Partial<Record<keyof TextContinuation, unknown>>
  return isFields(set) && typeof echoes === 'boolean'
}

function isExact(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { ask, field, tokensOf, promptField, render, needsLimit = false } = value as Partial<Record<keyof ExactContinuation, unknown>>
  return (
    isFields(ask) &&
    isName(field) &&
    typeof tokensOf === 'function' &&
    (promptField === undefined || isName(promptField)) &&
    (render === undefined || isRender(render)) &&
    typeof needsLimit === 'boolean'
  )
}

function isRender(value: unknown): boolean {
  return isRecord(value) && typeof value['path'] === 'string' && value['path'].startsWith('/') && isName(value['field'])
}

function isTold(value: unknown): boolean {
  if (value === undefined) return true
  if (!isRecord(value)) return false
  const { ids, bytes = 0 } = value
  return Array.isArray(ids) && ids.every((id) => Number.isInteger(id) && id >= 0) && Number.isInteger(bytes)
}

/** Names of fields with their values as JSON. */
function isFields(value: unknown): boolean {
  return isRecord(value) && Object.entries(value).every(([name, json]) => isName(name) && isJson(json))
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9_.-]{1,128}$/.test(value)
}

function isJson(value: unknown): boolean {
  try {
    return typeof value === 'string' && JSON.parse(value) !== undefined
  } catch {
    return false
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
