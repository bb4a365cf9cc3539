import type { Belief } from '../insight/index.js'
import type { Fleet, Node } from '../nodes/index.js'
import type { BeliefReading, NodeReading } from '../telemetry/index.js'

/** What a scrape shows of each node. */
export function nodeReadings(fleet: Fleet, belief: Belief, nowMs: number): NodeReading[] {
  return fleet.nodes().map((node) => {
    const { inFlight, waiting, tokensInFlight } = belief.of(node)
    return {
      id: node.id,
      pool: node.plan.pool.name,
      state: node.state,
      inFlight,
      waiting,
      tokensInFlight,
      restarts: node.restarts,
      belief: beliefReading(belief, node),
      ...(node.load === null ? {} : { load: node.load.facts, loadAgeMs: nowMs - node.load.atMs }),
    }
  })
}

function beliefReading(belief: Belief, node: Node): BeliefReading {
  const { prefillTokens, kvTokens, slowness } = belief.of(node)
  const { blocks, tokens, capacityTokens, trust } = belief.mirrorOf(node.index)
  return {
    prefillTokens,
    decodeTokens: kvTokens,
    slowness,
    mirrorBlocks: blocks,
    mirrorTokens: tokens,
    mirrorCapacityTokens: capacityTokens,
    mirrorTrust: trust,
  }
}
