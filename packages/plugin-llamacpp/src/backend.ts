import type { Backend, NodeSpec, PluginHost } from '@plimsoll/core/plugin'
import { llamacppDialect } from './dialect.js'
import { createProbe } from './probe.js'

/** Any of its endpoints that ask the engine, polled more often than once a second, keep a slot of a client that left busy for good (measured, b10573). */
const minProbeIntervalMs = 1500

export function createBackend(spec: NodeSpec, host: PluginHost): Backend {
  return { minProbeIntervalMs, dialect: llamacppDialect(spec.url), probe: createProbe(spec, host) }
}
