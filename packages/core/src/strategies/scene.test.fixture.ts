import { FakeClock, seededRandom, type Clock } from '../base/index.js'
import type { BeliefView, Candidate, NodeBelief, RequestFacts, Strategy, TraceSink } from '../contracts/index.js'
import { createStrategyRegistry } from './index.js'

/** A request of 100 tokens without blocks, changed where a test says so. */
export function factsOf(more: Partial<RequestFacts> = {}): RequestFacts {
  return {
    id: 'r1',
    face: 'openai-chat',
    model: 'm',
    stream: true,
    bodyBytes: 400,
    promptTokens: 100,
    outputTokens: 50,
    prefixHashes: new Float64Array(0),
    prefixTokens: () => 0,
    session: undefined,
    client: '127.0.0.1',
    sloTtftMs: undefined,
    ...more,
  }
}

/** Tokens of each block in `promptOf`. */
const blockTokens = 50

/** A prompt of blocks of 50 tokens: equal ids behind equal ids are equal text. */
export function promptOf(ids: readonly number[], more: Partial<RequestFacts> = {}): RequestFacts {
  let hash = 7
  const prefixHashes = Float64Array.from(ids, (id) => (hash = (hash * 4_099 + id) % 2 ** 40))
  const prefixTokens = (blocks: number): number => blockTokens * Math.min(blocks, ids.length)
  return factsOf({ promptTokens: blockTokens * ids.length, prefixHashes, prefixTokens, ...more })
}

export function nodesOf(weights: readonly number[]): Candidate[] {
  return weights.map((weight, index) => ({ id: `pool/n-${index}`, index, weight }))
}

/** What a test says of one node: its belief, and the tokens of any prompt that its cache holds. */
export type StatedNode = Partial<NodeBelief> & { readonly cachedTokens?: number; readonly promisedTokens?: number }

const IDLE: NodeBelief = {
  inFlight: 0,
  waiting: 0,
  tokensInFlight: 0,
  prefillTokens: 0,
  headPrefillTokens: 0,
  headSinceMs: 0,
  kvTokens: 0,
  slowness: 1,
  lastProgressMs: 0,
  lastTokenMs: -Infinity,
  largestPromptTokens: 0,
  silentTokens: 0,
  cacheSource: 'mirror',
  load: undefined,
  loadAtMs: 0,
}

/** A belief as a test states it, by index of the node. */
export function beliefOf(nodes: readonly StatedNode[]): BeliefView {
  return {
    of: ({ index }) => ({ ...IDLE, ...nodes[index] }),
    cachedTokens: (_facts, candidates) => {
      const presentTokens = Float64Array.from(candidates, ({ index }) => nodes[index]?.cachedTokens ?? 0)
      const promisedTokens = Float64Array.from(candidates, ({ index }, at) => nodes[index]?.promisedTokens ?? presentTokens[at] ?? 0)
      return { presentTokens, promisedTokens }
    },
  }
}

/** What a test says of the strategy's surroundings. */
export interface StatedScene {
  readonly belief?: BeliefView
  readonly seed?: number
  readonly settings?: object
  readonly clock?: Clock
}

export function strategyOf(
  name: string,
  { belief = beliefOf([]), seed = 1, settings = {}, clock = new FakeClock() }: StatedScene = {},
): Strategy {
  return createStrategyRegistry().create(name, { settings, random: seededRandom(seed), clock, belief })
}

/** A trace that keeps what it is told. */
export interface RecordedTrace extends TraceSink {
  readonly costs: Readonly<Record<string, number>>[]
  readonly units: string[]
  readonly reasons: string[]
}

export function recordingTrace(): RecordedTrace {
  const [costs, units, reasons]: [Readonly<Record<string, number>>[], string[], string[]] = [[], [], []]
  return {
    costs,
    units,
    reasons,
    cost: (position, terms) => void (costs[position] = terms),
    unit: (name, wins) => void units.push(name, wins),
    because: (reason) => void reasons.push(reason),
  }
}
