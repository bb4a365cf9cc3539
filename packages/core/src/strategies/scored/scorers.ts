import type { NodeBelief } from '../../contracts/index.js'
import { ColdTurns } from './cold-turns.js'
import { each, fewestBest, idleBest, type ScoredScene, type Scorer } from './scorer.js'
import { SessionHomes } from './session-homes.js'

/** Sizes that scorers measure against; units are in the names. */
export interface ScorerLimits {
  readonly tokenLoadTokens: number
  readonly loadAwareRequests: number
}

interface ScorerEntry {
  readonly description: string
  create(limits: ScorerLimits): Scorer
}

/**
 * All scorers by name. Formulas and sizes are those of the llm-d inference scheduler (v0.8.0); where it reads an engine's metrics alone, our own counts come
 * first and a poll can only add to them, so that a burst between two polls does not fall on one node. Counts are for a node's weight.
 */
export const scorers: Readonly<Record<string, ScorerEntry>> = {
  queue: {
    description: 'Requests that wait for their first token: (most - own) / (most - least), all 1 when equal.',
    create: () => fewestBest((belief, { weight }, scene) => Math.max(belief.waiting, polled(belief, scene)?.waiting ?? 0) / weight),
  },
  running: {
    description: 'Requests that the node works on: (most - own) / (most - least), all 1 when equal.',
    create: () =>
      fewestBest((belief, { weight }, scene) => Math.max(belief.inFlight - belief.waiting, polled(belief, scene)?.running ?? 0) / weight),
  },
  'kv-utilization': {
    description: 'Share of the KV cache that is free; one half where nothing is known.',
    create: () => each((belief, _node, scene) => 1 - (kvUsedRatio(belief, scene) ?? 0.5)),
  },
  prefix: {
    description: 'Share of the prompt that the cache holds.',
    create: () =>
      each((_belief, _node, { match, facts }, position) => (match.presentTokens[position] ?? 0) / Math.max(1, facts.promptTokens)),
  },
  'token-load': {
    description: '1 - tokens in flight / `tokenLoadTokens`, not below 0.',
    create: ({ tokenLoadTokens }) => each(({ tokensInFlight }, { weight }) => 1 - tokensInFlight / weight / tokenLoadTokens),
  },
  'active-requests': {
    description: 'Requests in flight: 1 when idle, else (most - own) / most.',
    create: () => idleBest(({ inFlight }, { weight }) => inFlight / weight),
  },
  'load-aware': {
    description: 'From one half with nothing waiting down to 0 at `loadAwareRequests`.',
    create: ({ loadAwareRequests }) =>
      each(
        (belief, { weight }, scene) =>
          0.5 * (1 - Math.max(belief.waiting, polled(belief, scene)?.waiting ?? 0) / weight / loadAwareRequests),
      ),
  },
  'session-affinity': {
    description: 'One for the node that served the session last, else 0.',
    create: () => new SessionHomes(),
  },
  'context-length': {
    description:
      'How closely the request fits into the context of the node, from .3 up to 1, so that long contexts stay free; 0 where it does not fit, one half where nothing is known.',
    create: () => each(({ load }, _node, { facts }) => fit(facts.promptTokens + facts.outputTokens, load?.contextTokens)),
  },
  'no-hit-lru': {
    description: 'For a prompt that no cache holds, the node that has gone longest without such a one; one half for any other prompt.',
    create: () => new ColdTurns(),
  },
}

/** What the engine said, while it may be believed. */
function polled({ load, loadAtMs }: NodeBelief, { oldestPollMs }: ScoredScene): NodeBelief['load'] {
  return loadAtMs >= oldestPollMs ? load : undefined
}

/** What the engine said, or what our own requests must hold there; undefined where its size is unknown too. */
function kvUsedRatio(belief: NodeBelief, scene: ScoredScene): number | undefined {
  const { kvBlocks, kvBlockTokens } = belief.load ?? {}
  const capacityTokens = kvBlocks === undefined || kvBlockTokens === undefined ? 0 : kvBlocks * kvBlockTokens
  return polled(belief, scene)?.kvUsedRatio ?? (capacityTokens > 0 ? belief.kvTokens / capacityTokens : undefined)
}

function fit(neededTokens: number, contextTokens: number | undefined): number {
  if (contextTokens === undefined || !(contextTokens > 0)) return 0.5
  return neededTokens > contextTokens ? 0 : 0.3 + (0.7 * neededTokens) / contextTokens
}
