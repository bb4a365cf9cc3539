import type { NodeJudge } from '../health/index.js'
import type { Belief } from '../insight/index.js'
import type { Node } from '../nodes/index.js'
import type { BeliefReading, EjectionReading, NodeReading } from '../telemetry/index.js'
import type { Assembly } from './assembly.js'

type Told = Pick<Assembly, 'fleet' | 'belief' | 'judge' | 'watchdog'>

/** What a scrape shows of each node. */
export function nodeReadings({ fleet, belief, judge, watchdog }: Told, nowMs: number): NodeReading[] {
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
      warmUps: node.warmUps,
      belief: beliefReading(belief, node),
      ejections: ejectionReading(judge, node),
      watchdog: watchdog.countsOf(node.id),
      ...(node.load === null ? {} : { load: node.load.facts, loadAgeMs: nowMs - node.load.atMs }),
    }
  })
}

function ejectionReading(judge: NodeJudge, { id, standing }: Node): EjectionReading {
  const { ejected, trial, admission = 1 } = standing.view
  const isOut = ejected !== undefined
  return { times: { ...judge.ejectionsOf(id) }, isOut, admission: isOut || trial !== undefined ? 0 : admission }
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
