import type { Backend, NodeSpec, PluginHost } from '@plimsoll/core/plugin'
import { vllmDialect } from './dialect.js'
import { createProbe } from './probe.js'

export function createBackend(spec: NodeSpec, host: PluginHost): Backend {
  return { minProbeIntervalMs: 500, dialect: vllmDialect(spec.url), probe: createProbe(spec, host) }
}
