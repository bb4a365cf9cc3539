/** `launch.args` of a node, after defaults. */
export interface Settings {
  readonly wordMs: number
  readonly loadMs: number
}

/** JSON Schema of them. Each has a default or is optional, and unknown ones are refused: a misspelt setting must not pass in silence. */
export const settingsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    wordMs: { type: 'integer', minimum: 0, maximum: 10_000, default: 5, description: 'Time for one word of an answer.' },
    loadMs: { type: 'integer', minimum: 0, maximum: 600_000, default: 0, description: 'How long loading takes.' },
  },
} as const
