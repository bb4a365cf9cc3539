import { type Backend, type NodeSpec, openaiBase, openaiDialect, type PluginHost } from '@plimsoll/core/plugin'
import { probe } from './probe.js'

/** Hosted APIs count requests to /v1/models against the key's limits. */
const minProbeIntervalMs = 2000
/** A launched server is ours alone: it bears more. */
const minOwnProbeIntervalMs = 250
/** Nothing is known of it: loading a large model from a slow disk must fit. */
const readyWithinMs = 600_000

export function createBackend(spec: NodeSpec, host: PluginHost): Backend {
  return {
    // The topology's own `command` is all there is to start.
    launchPlan: () => ({ command: '', args: [], ...keyVariable(spec), readyWithinMs }),
    minProbeIntervalMs: isLoopback(spec.url) ? minOwnProbeIntervalMs : minProbeIntervalMs,
    dialect: openaiDialect({ paths: openaiBase(spec.url).paths }),
    probe: (signal) => probe(spec, host, signal),
  }
}

/** What the command does with the key is its own affair; never in its arguments. */
function keyVariable({ apiKey }: NodeSpec): { readonly env: Record<string, string>; readonly secretEnv?: readonly string[] } {
  return apiKey === undefined ? { env: {} } : { env: { LB_NODE_KEY: apiKey }, secretEnv: ['LB_NODE_KEY'] }
}

function isLoopback(url: string): boolean {
  return /^http:\/\/(127\.|localhost[:/]|\[::1\])/.test(url)
}
