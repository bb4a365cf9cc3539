import type { Backend, NodeSpec, PluginHost } from '@plimsoll/core/plugin'
import { ollamaDialect } from './dialect.js'
import { createProbe } from './probe.js'

export function createBackend(spec: NodeSpec, host: PluginHost): Backend {
  return { minProbeIntervalMs: 1000, dialect: ollamaDialect(spec.url), probe: createProbe(spec, host) }
}
