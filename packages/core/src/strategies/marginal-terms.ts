import type { LoadFacts, NodeBelief } from '../contracts/index.js'
import type { MarginalNumbers } from './marginal-settings.js'

/** What is known of the request and of the pool as a whole. */
export interface MarginalScene {
  promptTokens: number
  outputTokens: number
  nowMs: number
  /** Means over the candidates. */
  meanPrefillTokens: number
  meanInFlight: number
}

/** The request on one node. The two counts are there because they were read before, for the means: each read is a sum over threads. */
export interface MarginalPlace {
  cachedTokens: number
  weight: number
  inFlight: number
  prefillTokens: number
}

/** From this share of its memory on, an engine begins to throw requests out of their batch. */
const FULL_MEMORY = 0.9

/**
 * What one request costs on one node, in ms: its own latency, the delay it puts on others, and the work that would be lost. Source: a study with a
 * simulator of engines that compute prompts in chunks beside their answers; the first product (`batch` and `queue`) is LMetric's. One object is used
 * for all candidates: `weigh` overwrites it.
 */
export class MarginalTerms {
  /** Prefill of requests before this one. */
  wait = 0
  /** Its own prefill, until the first token. */
  prefill = 0
  /** Its own answer. */
  answer = 0
  /** Delay of the requests beside it. */
  batch = 0
  /**
   * Prefill that another node's cache might have spared, as a typical node would take for it: what is lost is work of the pool, and a second of a slow
   * node is less of that.
   */
  lost = 0
  /** What its answer adds to the steps of others. */
  others = 0
  /** Memory or batch that overflow. */
  full = 0
  /** What distrust in a node that gives no sign of life adds. */
  silent = 0

  constructor(private readonly numbers: MarginalNumbers) {}

  get sum(): number {
    return this.wait + this.prefill + this.answer + this.batch + this.lost + this.others + this.full + this.silent
  }

  weigh(scene: MarginalScene, node: NodeBelief, place: MarginalPlace): void {
    const { numbers } = this
    const { costs, maxBatchedTokens } = numbers
    const { promptTokens, outputTokens } = scene
    const { inFlight, prefillTokens } = place
    const { kvTokens } = node
    const pace = node.slowness / place.weight
    const decoding = inFlight > 0 ? Math.max(0, inFlight - node.waiting) : 0
    const residentTokens = kvTokens + prefillTokens
    const peers = inFlight + residentTokens / numbers.tokensPerPeer
    const own = Math.max(1, promptTokens - place.cachedTokens)

    const attended = costs.attendedPairMs * own * Math.max(0, promptTokens - own / 2)
    const work = pace * (costs.prefillTokenMs * own + attended)
    const stepMs = costs.baseMs + costs.sequenceMs * decoding + costs.kvTokenMs * kvTokens
    const tokenMs = costs.prefillTokenMs + stepMs / Math.max(256, maxBatchedTokens - decoding)
    const answerStepMs = pace * (costs.baseMs + costs.sequenceMs * (inFlight + 1) + costs.kvTokenMs * (residentTokens + promptTokens))
    const saturation = saturationOf(scene, numbers)
    const headTokens = prefillTokens > 0 ? clamp((scene.nowMs - node.headSinceMs) / (tokenMs * pace), 0, 0.95 * node.headPrefillTokens) : 0

    this.wait = pace * ((prefillTokens - headTokens) * tokenMs + stepMs / 2)
    this.prefill = pace * (own * tokenMs + attended)
    this.answer = numbers.ownAnswer * outputTokens * answerStepMs
    this.batch = numbers.batch * peers * work + numbers.queue * peers * pace * costs.prefillTokenMs * prefillTokens
    this.lost = ((numbers.lostWork + numbers.lostWhenSaturated * saturation * scene.meanInFlight) * work) / pace
    this.others = numbers.others * outputTokens * (costs.sequenceMs + costs.kvTokenMs * (promptTokens + outputTokens / 2)) * pace * inFlight
    this.full = this.overflow(node, inFlight, residentTokens) * answerStepMs * outputTokens
    this.silent = 0
    if (decoding > 0)
      this.silent = this.distrust(scene.nowMs - node.lastProgressMs, pace * (stepMs + costs.prefillTokenMs * maxBatchedTokens))
  }

  private overflow({ load }: NodeBelief, inFlight: number, residentTokens: number): number {
    const { fullMemory, fullBatch, maxSeqs, kvTokens, tokensPerPeer } = this.numbers
    const said = load === undefined ? undefined : kvTokensOf(load)
    const overTokens = residentTokens - FULL_MEMORY * (said ?? kvTokens)
    const overMemory = overTokens > 0 ? overTokens / Math.max(1, said ?? kvTokens) : 0
    const overBatch = inFlight + 1 - maxSeqs
    const peers = inFlight + residentTokens / tokensPerPeer
    return fullMemory * overMemory + (overBatch > 0 ? (fullBatch * peers * overBatch) / maxSeqs : 0)
  }

  /** 0 while a node that decodes gives tokens as it should; then a multiple of all other terms, in proportion to its silence. */
  private distrust(silentMs: number, fullStepMs: number): number {
    const { silentAfterMs, silentAtMost } = this.numbers
    const patienceMs = Math.max(silentAfterMs, 5 * fullStepMs)
    return silentMs > patienceMs ? this.sum * (Math.min(silentAtMost, silentMs / patienceMs) - 1) : 0
  }
}

function kvTokensOf({ kvBlocks, kvBlockTokens }: LoadFacts): number | undefined {
  return kvBlocks === undefined || kvBlockTokens === undefined ? undefined : kvBlocks * kvBlockTokens
}

/** 0 while queues are shorter than a step takes in, 1 from three times that on. */
export function saturationOf({ meanPrefillTokens }: MarginalScene, { maxBatchedTokens }: MarginalNumbers): number {
  return clamp(meanPrefillTokens / (2 * maxBatchedTokens) - 0.5, 0, 1)
}

function clamp(value: number, least: number, most: number): number {
  return value < least ? least : value > most ? most : value
}
