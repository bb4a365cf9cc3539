import type { MetricPlugin } from '@plimsoll/core/plugin'

interface Settings {
  readonly tokens: number
  readonly least: number
}

/** What Plimsoll asks for by name in package.json: `"plimsoll": { "metrics": { "__NAME__": "./dist/index.js" } }`. */
export const metric: MetricPlugin<Settings> = {
  name: '__NAME__',
  summary: 'Share of answers, 0 to 1, that are shorter than so many tokens. An example: replace it.',
  settings: {
    type: 'object',
    additionalProperties: false,
    properties: {
      tokens: { type: 'integer', minimum: 1, maximum: 100_000, default: 16, description: 'Shorter answers count as short.' },
      least: { type: 'integer', minimum: 1, maximum: 1000, default: 20, description: 'Answers that a number needs.' },
    },
  },
  evaluate({ settings, samples }) {
    const lengths = samples.flatMap(({ completionTokens }) => completionTokens ?? [])
    if (lengths.length < settings.least) return null
    return lengths.filter((tokens) => tokens < settings.tokens).length / lengths.length
  },
}
