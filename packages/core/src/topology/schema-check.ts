import { readFile } from 'node:fs/promises'
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { JsonSchema } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { Finding } from './finding.js'
import type { KeyPath } from './key-path.js'
import { settingsFindings, topologyFindings } from './schema-findings.js'

/** The schema that ships with the package; generated from schema.ts, whose own import would cost 100 ms of CPU. */
export async function shippedSchema(): Promise<JsonSchema> {
  return JSON.parse(await readFile(new URL('../../lb.schema.json', import.meta.url), 'utf8')) as JsonSchema
}

/** Checks the whole topology against lb.schema.json. */
export async function checkTopologySchema(value: unknown): Promise<Finding[]> {
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: true, strictRequired: false, logger: false })
  ajv.addKeyword('errorMessage')
  const validate = ajv.compile(await shippedSchema())
  return topologyFindings(errorsOf(validate, value), value)
}

/** Settings of a plugin: `owner` is named in every error ("engine NAME"). */
export interface SettingsCheck {
  readonly schema: JsonSchema
  readonly owner: string
  readonly settings: unknown
  readonly path: KeyPath
}

export interface CheckedSettings {
  readonly settings: Readonly<Record<string, unknown>>
  readonly findings: readonly Finding[]
}

export type SettingsChecker = (check: SettingsCheck) => CheckedSettings

/** A checker that fills in defaults; plugins' schemas are taken less strictly than our own, but unknown keys stay errors. */
export async function createSettingsChecker(): Promise<SettingsChecker> {
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const formats = await import('ajv-formats')
  const compiled = new Map<JsonSchema, ValidateFunction>()
  const compile = (schema: JsonSchema) => {
    const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: false, useDefaults: true, logger: false })
    formats.default.default(ajv)
    const validate = compiled.get(schema) ?? ajv.compile(closed(schema))
    compiled.set(schema, validate)
    return validate
  }
  return (check) => {
    const settings = withoutExtensions(check.settings)
    try {
      const errors = errorsOf(compile(check.schema), settings)
      return { settings, findings: settingsFindings(errors, { ...check, settings }) }
    } catch (error) {
      const message = `${check.owner}: the plugin's schema of its settings is broken: ${messageOf(error)}`
      return { settings, findings: [{ path: check.path, at: 'key', message, hint: 'this is a fault of the plugin' }] }
    }
  }
}

function errorsOf(validate: ValidateFunction, value: unknown): readonly ErrorObject[] {
  return validate(value) ? [] : (validate.errors ?? [])
}

/** A plugin that forgot to close its schema would let a misspelt setting pass in silence. */
function closed(schema: JsonSchema): JsonSchema {
  const open = ['additionalProperties', 'unevaluatedProperties', 'patternProperties', '$ref', 'allOf', 'anyOf', 'oneOf'].some(
    (key) => key in schema,
  )
  return open ? schema : { ...schema, additionalProperties: false }
}

function withoutExtensions(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const kept = Object.entries(value).filter(([key]) => !key.startsWith('x-'))
  return structuredClone(Object.fromEntries(kept))
}
