import { type Backend, type NodeSpec, openaiBase, openaiDialect, type PluginHost } from '@plimsoll/core/plugin'
import { probe } from './probe.js'

/** Hosted APIs count requests to /v1/models against the key's limits. */
const minProbeIntervalMs = 2000

export function createBackend(spec: NodeSpec, host: PluginHost): Backend {
  return {
    minProbeIntervalMs,
    dialect: openaiDialect({ paths: openaiBase(spec.url).paths }),
    probe: (signal) => probe(spec, host, signal),
  }
}
