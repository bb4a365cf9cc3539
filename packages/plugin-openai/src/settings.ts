import type { JsonSchema } from '@plimsoll/core/plugin'

/** Nothing to set here: an attached server was set up where it was started, a launched one by its own command line. */
export const settings: JsonSchema = { type: 'object', additionalProperties: false, properties: {} }
