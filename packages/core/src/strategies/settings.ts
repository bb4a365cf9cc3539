import type { JsonSchema } from '../contracts/index.js'

/** Schema of a strategy that has nothing to set. */
export const noSettings: JsonSchema = { type: 'object', additionalProperties: false, properties: {} }
