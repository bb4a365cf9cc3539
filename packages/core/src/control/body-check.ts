import { LbError } from '../errors/index.js'

/** What a body may hold: the few words of JSON Schema that control needs, so that the OpenAPI document says what is checked and nothing else. */
export interface BodySchema {
  readonly type: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean'
  readonly description?: string
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: BodySchema
  readonly properties?: Readonly<Record<string, BodySchema>>
  readonly required?: readonly string[]
  /** False: no other keys than `properties`. */
  readonly additionalProperties?: boolean
}

/** Throws LB_BAD_CONTROL_REQUEST (400) that names the place of the first thing that is wrong. */
export function checkBody(schema: BodySchema, value: unknown, at = ''): void {
  if (!isOfType(schema.type, value)) throw badBody(at, `must be ${named(schema.type)}, not ${shown(value)}`)
  if (typeof value === 'string') checkText(schema, value, at)
  else if (typeof value === 'number') checkNumber(schema, value, at)
  else if (Array.isArray(value)) checkItems(schema, value, at)
  else if (typeof value === 'object' && value !== null) checkKeys(schema, value as Record<string, unknown>, at)
}

export function badBody(at: string, what: string): LbError {
  return new LbError(`${at === '' ? 'the body' : at} ${what}`, {
    code: 'LB_BAD_CONTROL_REQUEST',
    source: 'operator',
    httpStatus: 400,
    hint: 'GET /v1/openapi.json tells what each body may hold',
  })
}

function isOfType(type: BodySchema['type'], value: unknown): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return type === 'integer' ? Number.isSafeInteger(value) : typeof value === type
}

function checkText({ enum: words, pattern, minLength = 0, maxLength = LONGEST_TEXT }: BodySchema, text: string, at: string): void {
  if (words !== undefined && !words.includes(text)) throw badBody(at, `must be one of ${words.join(', ')}, not ${shown(text)}`)
  if (text.length < minLength) throw badBody(at, 'must not be empty')
  if (text.length > maxLength) throw badBody(at, `must not be longer than ${maxLength} characters`)
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(text)) throw badBody(at, `must look like ${pattern}, not ${shown(text)}`)
}

function checkNumber({ minimum = -Infinity, maximum = Infinity }: BodySchema, number: number, at: string): void {
  if (number >= minimum && number <= maximum) return
  throw badBody(
    at,
    maximum === Infinity ? `must be at least ${minimum}, not ${number}` : `must be from ${minimum} to ${maximum}, not ${number}`,
  )
}

function checkItems({ items, minItems = 0, maxItems = MOST_ITEMS }: BodySchema, list: readonly unknown[], at: string): void {
  if (list.length < minItems) throw badBody(at, `must have at least ${minItems}`)
  if (list.length > maxItems) throw badBody(at, `must have at most ${maxItems}`)
  if (items !== undefined) for (const [index, item] of list.entries()) checkBody(items, item, `${at}[${index}]`)
}

function checkKeys({ properties = {}, required = [], additionalProperties }: BodySchema, given: Record<string, unknown>, at: string): void {
  const place = (key: string): string => (at === '' ? key : `${at}.${key}`)
  for (const key of required) if (given[key] === undefined) throw badBody(at, `lacks \`${key}\``)
  for (const [key, value] of Object.entries(given)) {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (schema !== undefined) checkBody(schema, value, place(key))
    else if (additionalProperties === false)
      throw badBody(at, `has no \`${key.slice(0, 100)}\`; it may have ${Object.keys(properties).join(', ')}`)
  }
}

const LONGEST_TEXT = 10_000
const MOST_ITEMS = 1_000

function named(type: BodySchema['type']): string {
  if (type === 'integer') return 'a whole number'
  return type === 'object' ? 'a JSON object' : type === 'array' ? 'a list' : type === 'boolean' ? 'true or false' : `a ${type}`
}

/** Foreign, so short. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 60) : value) ?? 'nothing'
}
