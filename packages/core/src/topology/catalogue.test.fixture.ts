import type { EngineCatalogue, MetricCatalogue, StrategyCatalogue } from './catalogue.js'
import { TopologyErrors } from './topology-errors.js'
import { resolveTopology, type ResolveOptions } from './resolve-topology.js'
import type { Topology } from './topology.js'

const simSettings = {
  type: 'object',
  additionalProperties: false,
  properties: {
    profile: { enum: ['instant', '8b-h100'], default: 'instant' },
    seed: { type: 'integer', minimum: 0, default: 0 },
    fault: { type: 'string' },
    url: { type: 'string', format: 'uri' },
  },
}

export const engines: EngineCatalogue = new Map([
  ['sim', { settings: simSettings, canLaunch: true }],
  ['vllm', { settings: { type: 'object', additionalProperties: true }, canLaunch: true, defaultAttachUrl: 'http://127.0.0.1:8000' }],
  ['llamacpp', { settings: { type: 'object', additionalProperties: true }, canLaunch: true, defaultAttachUrl: 'http://127.0.0.1:8080' }],
  ['ollama', { settings: { type: 'object', additionalProperties: true }, canLaunch: true, defaultAttachUrl: 'http://127.0.0.1:11434' }],
  ['openai', { settings: { type: 'object' }, canLaunch: false }],
])

const noSettings = { settings: { type: 'object', additionalProperties: false, properties: {} } }

export const strategies: StrategyCatalogue = new Map([
  ['adaptive', noSettings],
  ['least-tokens', noSettings],
  ['round-robin', noSettings],
  ['least-requests', noSettings],
  [
    'two-choices',
    { settings: { type: 'object', additionalProperties: false, properties: { by: { enum: ['requests', 'tokens'], default: 'tokens' } } } },
  ],
])

const metricSettings = { type: 'object', additionalProperties: false, properties: { tokens: { type: 'integer', default: 16 } } }

const metrics: MetricCatalogue = new Map([['short-answers', { settings: metricSettings }]])

export const folder = '/srv/support-bot'

/** Resolves the text as /srv/support-bot/lb.yaml, or lb.json. */
export function resolveText(
  text: string,
  options: Partial<ResolveOptions> & { readonly format?: 'yaml' | 'json' } = {},
): Promise<Topology> {
  const { format = 'yaml', ...rest } = options
  const shown = `lb.${format}`
  return resolveTopology(
    { kind: 'text', file: `${folder}/${shown}`, shown, format, text },
    { engines, strategies, metrics, env: {}, ...rest },
  )
}

/** The errors of a topology that must have some; anything else that is thrown is a fault of this room and goes on. */
export async function errorsOf(resolving: Promise<unknown>): Promise<TopologyErrors> {
  const thrown = await resolving.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (thrown instanceof TopologyErrors) return thrown
  throw thrown ?? new Error('there was no mistake')
}
