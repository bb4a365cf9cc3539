import type { JsonSchema } from '../contracts/index.js'

/** Schema of a strategy that has nothing to set. */
export const noSettings: JsonSchema = { type: 'object', additionalProperties: false, properties: {} }

/** Schema of settings that may all be left out. */
export function settingsSchema(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', additionalProperties: false, properties }
}

/** A number that may be set, with the range in which it makes sense. Without a default, its description says what holds then. */
export function numberSetting(
  range: { readonly from: number; readonly to: number; readonly or?: number },
  description: string,
): JsonSchema {
  const bounds = { type: 'number', minimum: range.from, maximum: range.to }
  return range.or === undefined ? { ...bounds, description } : { ...bounds, default: range.or, description }
}
