import { Type, type Static, type TProperties, type TSchema } from 'typebox'
import { namePattern } from './name-pattern.js'

/** `errorMessage` is what an editor shows and what stands beside the caret: "expected ...". */
interface About {
  readonly description: string
  readonly expected?: string
  readonly default?: unknown
}

function annotations({ description, expected, default: byDefault }: About) {
  return {
    description,
    ...(expected === undefined ? {} : { errorMessage: expected }),
    ...(byDefault === undefined ? {} : { default: byDefault }),
  }
}

/** An object that takes its own keys and `x-*`. */
export function section<Keys extends TProperties>(keys: Keys, about: About) {
  return Type.Object(keys, { ...annotations(about), additionalProperties: false, patternProperties: { '^x-': {} } })
}

interface MapAbout extends About {
  readonly names: { readonly pattern: string; readonly expected: string }
  readonly size?: { readonly minProperties: number; readonly maxProperties: number }
}

/** A map from names that the user chooses to values of one kind; takes `x-*` too. */
export function mapOf<Value extends TSchema>(value: Value, about: MapAbout) {
  return Type.Unsafe<Record<string, Static<Value>>>({
    type: 'object',
    ...annotations(about),
    propertyNames: { type: 'string', pattern: about.names.pattern, errorMessage: about.names.expected },
    patternProperties: { '^x-': {} },
    additionalProperties: value,
    ...about.size,
  })
}

export const durationPattern = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$'
export const percentPattern = '^(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?)%$'
const increasePattern = '^\\+?(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?)%$'
const factorPattern = '^x[0-9]{1,4}(\\.[0-9]+)?$'
export const sizePattern = '^[0-9]+(\\.[0-9]+)?(B|KB|MB|GB|KiB|MiB|GiB)$'

export const duration = (description: string, byDefault?: string) =>
  Type.String({
    ...annotations({ description, expected: 'a duration such as 250ms, 30s or 5m', default: byDefault }),
    pattern: durationPattern,
  })

export const percent = (description: string, byDefault?: string) =>
  Type.String({
    ...annotations({ description, expected: 'a share such as 20%', default: byDefault }),
    pattern: percentPattern,
  })

export const increase = (description: string, byDefault?: string) =>
  Type.String({
    ...annotations({ description, expected: 'a share such as +1%', default: byDefault }),
    pattern: increasePattern,
  })

export const factor = (description: string, byDefault?: string) =>
  Type.String({
    ...annotations({ description, expected: 'so many times, such as x1.5', default: byDefault }),
    pattern: factorPattern,
  })

export const size = (description: string, byDefault: string) =>
  Type.String({
    ...annotations({ description, expected: 'a size such as 512KiB, 10MiB or 1GiB', default: byDefault }),
    pattern: sizePattern,
  })

export const count = (description: string, range: { min: number; max: number; default?: number }) =>
  Type.Integer({
    ...annotations({ description, expected: `a whole number from ${range.min} to ${range.max}`, default: range.default }),
    minimum: range.min,
    maximum: range.max,
  })

export const word = (description: string, expected = 'a text that is not empty') =>
  Type.String({ ...annotations({ description, expected }), minLength: 1, maxLength: 1024 })

export const name = (description: string) =>
  Type.String({ ...annotations({ description, expected: 'lower-case letters, digits and hyphens, such as gpu-1' }), pattern: namePattern })

export const secret = (description: string) =>
  Type.Object(
    {
      env: Type.Optional(word('Name of the environment variable that holds the secret.')),
      file: Type.Optional(word('Path of a file that holds the secret; relative paths start at the topology file.')),
    },
    {
      ...annotations({ description, expected: '{ env: NAME } or { file: PATH }' }),
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
    },
  )
