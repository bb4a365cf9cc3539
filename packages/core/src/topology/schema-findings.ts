import type { ErrorObject } from 'ajv'
import type { Finding } from './finding.js'
import { pathOfPointer, placeName, type KeyPath } from './key-path.js'
import { nearestWord } from './nearest-word.js'

interface FindingContext {
  /** Path of the checked value in the whole document. */
  readonly base: KeyPath
  /** The checked value itself. */
  readonly root: unknown
  /** Opens every message; empty for the topology's own keys. */
  readonly prefix: string
}

/** ajv's errors in words that a person can act on. */
export function topologyFindings(errors: readonly ErrorObject[], root: unknown): Finding[] {
  return relevant(errors).map((error) => findingOf(error, { base: [], root, prefix: '' }))
}

export function settingsFindings(
  errors: readonly ErrorObject[],
  check: { readonly owner: string; readonly path: KeyPath; readonly settings: unknown },
): Finding[] {
  return relevant(errors).map((error) => findingOf(error, { base: check.path, root: check.settings, prefix: `${check.owner}: ` }))
}

/** A union fails with the errors of all its branches: the ones of the branch whose type fits say what is wrong, else the union itself does. */
function relevant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let left = errors.filter((error) => error.keyword !== 'propertyNames' && error.keyword !== 'if')
  const unions = left.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf')
  for (const union of unions.toSorted((a, b) => a.schemaPath.length - b.schemaPath.length)) {
    if (!left.includes(union)) continue
    const inside = left.filter((error) => error !== union && within(error, union))
    const fitting = inside.find(
      (error) => !blamesType(error, union) && !inside.some((other) => sameBranch(error, other, union) && blamesType(other, union)),
    )
    const kept = fitting === undefined ? [union] : inside.filter((error) => sameBranch(error, fitting, union))
    left = [...left.filter((error) => error !== union && !inside.includes(error)), ...kept]
  }
  return left
}

function within(error: ErrorObject, union: ErrorObject): boolean {
  const inSchema = error.schemaPath.startsWith(`${union.schemaPath}/`)
  return inSchema && (error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`))
}

function blamesType(error: ErrorObject, union: ErrorObject): boolean {
  return ['type', 'const', 'enum'].includes(error.keyword) && error.instancePath === union.instancePath
}

function sameBranch(a: ErrorObject, b: ErrorObject, union: ErrorObject): boolean {
  const branch = (error: ErrorObject) => error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0]
  return branch(a) === branch(b)
}

function findingOf(error: ErrorObject, context: FindingContext): Finding {
  const path = [...context.base, ...pathOfPointer(error.instancePath, context.root)]
  const finding = error.propertyName === undefined ? byKeyword(error, path) : badName(error, path)
  return { ...finding, message: `${context.prefix}${finding.message}` }
}

function byKeyword(error: ErrorObject, path: KeyPath): Finding {
  if (isSecretLiteral(error, path)) return secretLiteral(error, path)
  const params = error.params as Readonly<Record<string, unknown>>
  const unknown = params['additionalProperty'] ?? params['unevaluatedProperty']
  if (typeof unknown === 'string') return unknownKey(error, path, unknown)
  const missing = params['missingProperty']
  if (typeof missing === 'string') return missingKey(error, path, missing)
  const near = nearestAllowed(error)
  const expected = error.keyword === 'maxLength' ? {} : expectedOf(error.parentSchema, fallbackExpectation(error))
  return { path, at: 'value', message: wrongValue(error, path), ...expected, ...(near === undefined ? {} : { suggestion: near }) }
}

function nearestAllowed(error: ErrorObject): string | undefined {
  const allowed: unknown = (error.params as Readonly<Record<string, unknown>>)['allowedValues']
  return Array.isArray(allowed) && typeof error.data === 'string' ? nearestWord(error.data, allowed.map(String)) : undefined
}

/** A misspelt key is a missing one too; it is told once, where it stands. */
function missingKey(error: ErrorObject, path: KeyPath, missing: string): Finding {
  const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {})
  const strange = Object.keys((error.data as object | undefined) ?? {}).filter((key) => !known.includes(key))
  const meant = strange.find((key) => nearestWord(key, known) === missing)
  if (meant !== undefined) return unknownKey(error, path, meant)
  const { expected } = expectedOf(subSchema(error, missing))
  return {
    path,
    at: isBranch(error) ? 'value' : 'key',
    message: `\`${missing}\` is missing in ${placeName(path)}`,
    ...(expected === undefined ? {} : { expected: `${missing}: ${expected}` }),
  }
}

/** Where a plain text would have done as well, the map is to blame, not the key in front of it. */
function isBranch({ schemaPath }: ErrorObject): boolean {
  return /\/(anyOf|oneOf)\/\d+\/required$/.test(schemaPath)
}

function unknownKey(error: ErrorObject, path: KeyPath, key: string): Finding {
  const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {})
  const near = nearestWord(key, known)
  const own = known.filter((name) => !name.startsWith('$'))
  const expected = own.length === 0 ? 'no keys here' : `one of ${own.join(', ')}`
  return {
    path: [...path, key],
    at: 'key',
    message: `\`${key}\` is not a key of ${placeName(path)}`,
    ...(near === undefined ? { expected } : { suggestion: near }),
  }
}

function badName(error: ErrorObject, path: KeyPath): Finding {
  const name = String(error.propertyName)
  return {
    path: [...path, name],
    at: 'key',
    message: `\`${name}\` cannot be a name in ${placeName(path)}`,
    ...expectedOf(error.parentSchema),
  }
}

function wrongValue(error: ErrorObject, path: KeyPath): string {
  const place = placeName(path)
  const params = error.params as Readonly<Record<string, unknown>>
  switch (error.keyword) {
    case 'type':
    case 'anyOf':
    case 'oneOf':
      return `${place} cannot be ${kindOf(error.data)}`
    case 'minItems':
    case 'minProperties':
    case 'minLength':
      return `${place} is ${sizeOf(error.data) === 0 ? 'empty' : 'too short'}`
    case 'maxItems':
    case 'maxProperties':
      return `${place} holds too much (at most ${String(params['limit'])})`
    case 'maxLength':
      return `${place} is too long (${sizeOf(error.data)} characters, at most ${String(params['limit'])})`
    case 'const':
    case 'enum':
    case 'pattern':
    case 'format':
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `${place} cannot be ${shown(error.data)}`
    default:
      return `${place} ${error.message ?? 'is not valid'}`
  }
}

const kindWords: Readonly<Record<string, string>> = {
  object: 'keys and values',
  array: 'a list',
  string: 'a text (put quotes around a number)',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

function fallbackExpectation(error: ErrorObject): string | undefined {
  const params = error.params as Readonly<Record<string, unknown>>
  if (error.keyword === 'enum' && Array.isArray(params['allowedValues'])) return `one of ${params['allowedValues'].map(String).join(', ')}`
  if (error.keyword === 'type') return kindWords[String(params['type'])] ?? String(params['type'])
  return error.message?.replace(/^must (be|match|have) ?/, '')
}

function expectedOf(schema: object | undefined, fallback?: string): { expected?: string } {
  const own = (schema as Readonly<Record<string, unknown>> | undefined)?.['errorMessage']
  const expected = typeof own === 'string' ? own : fallback
  return expected === undefined ? {} : { expected }
}

function subSchema(error: ErrorObject, key: string): object | undefined {
  return (error.parentSchema?.['properties'] as Readonly<Record<string, object>> | undefined)?.[key]
}

/** A text where the schema asks for { env } or { file }. */
function isSecretLiteral(error: ErrorObject, path: KeyPath): boolean {
  const last = path.at(-1)
  const place = last === 'apiKey' || last === 'apiKeys' || (typeof last === 'number' && path.at(-2) === 'apiKeys')
  return place && error.keyword === 'type' && ['string', 'number'].includes(typeof error.data)
}

function secretLiteral(error: ErrorObject, path: KeyPath): Finding {
  const reference = /^\$\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\}$/.exec(String(error.data))?.[1]
  const message = `${placeName(path)} is a literal secret; secrets never stand in the file`
  return {
    path,
    at: 'value',
    message,
    expected: '{ env: NAME } or { file: PATH }',
    secret: true,
    ...(reference === undefined ? {} : { suggestion: `{ env: ${reference} }` }),
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  return { object: 'a map', string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? `a ${typeof value}`
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return `\`${text.length > 60 ? `${text.slice(0, 57)}...` : text}\``
}
