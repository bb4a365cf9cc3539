import { Refusal } from './refusal.js'

export type JsonObject = { readonly [key: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function parseJsonObject(text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Refusal(400, `1 validation error: JSON decode error: ${String(error)}`, { type: 'Bad Request' })
  }
  if (!isObject(value)) throw invalid('body', 'a JSON object')
  return value
}

export function optionalString(body: JsonObject, key: string): string | undefined {
  return optional(body, key, { expected: 'a string', is: (value) => typeof value === 'string' })
}

export function optionalBoolean(body: JsonObject, key: string): boolean | undefined {
  return optional(body, key, { expected: 'true or false', is: (value) => typeof value === 'boolean' })
}

export function optionalCount(body: JsonObject, key: string): number | undefined {
  return optional(body, key, { expected: 'a whole number over 0', is: (value): value is number => isWhole(value) && value > 0 })
}

export function optionalInteger(body: JsonObject, key: string): number | undefined {
  return optional(body, key, { expected: 'a whole number', is: isWhole })
}

export function optionalObject(body: JsonObject, key: string): JsonObject | undefined {
  return optional(body, key, { expected: 'an object', is: isObject })
}

export function invalid(param: string, expected: string): Refusal {
  return new Refusal(400, `1 validation error: ${param} must be ${expected}`, { type: 'Bad Request', param })
}

interface Kind<Value> {
  readonly expected: string
  readonly is: (value: unknown) => value is Value
}

/** Null counts as absent: official SDKs send it. */
function optional<Value>(body: JsonObject, key: string, kind: Kind<Value>): Value | undefined {
  const value = body[key]
  if (value === undefined || value === null) return undefined
  if (!kind.is(value)) throw invalid(key, kind.expected)
  return value
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
