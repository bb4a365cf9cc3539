import type { JsonSchema } from '@plimsoll/core/plugin'

/** Attached nodes have nothing to set here: how the server runs was decided where it was started. */
export const settings: JsonSchema = { type: 'object', additionalProperties: false, properties: {} }
