import type { TopologyInput } from './schema.js'

/** Types a topology in lb.config.ts; returns what it is given. */
export function defineTopology(input: TopologyInput): TopologyInput {
  return input
}
