import type { NodeBelief } from '../contracts/index.js'
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
  /** Prefill that another node's cache might have spared. */
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

  weigh(scene: MarginalScene, node: NodeBelief, place: { readonly cachedTokens: number; readonly weight: number }): void {
    const { numbers } = this
    const { costs, maxBatchedTokens } = numbers
    const { promptTokens, outputTokens } = scene
    const { inFlight, prefillTokens, waiting } = node
    const pace = node.slowness / place.weight
    const decoding = Math.max(0, inFlight - waiting)
    const residentTokens = node.kvTokens + prefillTokens
    const peers = inFlight + residentTokens / numbers.tokensPerPeer
    const own = Math.max(1, promptTokens - place.cachedTokens)

    const attended = costs.attendedPairMs * own * Math.max(0, promptTokens - own / 2)
    const work = pace * (costs.prefillTokenMs * own + attended)
    const stepMs = costs.baseMs + costs.sequenceMs * decoding + costs.kvTokenMs * node.kvTokens
    const tokenMs = costs.prefillTokenMs + stepMs / Math.max(256, maxBatchedTokens - decoding)
    const answerStepMs = pace * (costs.baseMs + costs.sequenceMs * (inFlight + 1) + costs.kvTokenMs * (residentTokens + promptTokens))
    const saturation = clamp(scene.meanPrefillTokens / (2 * maxBatchedTokens) - 0.5, 0, 1)
    const headTokens = clamp((scene.nowMs - node.headSinceMs) / (tokenMs * pace), 0, 0.95 * node.headPrefillTokens)

    this.wait = pace * ((prefillTokens - headTokens) * tokenMs + stepMs / 2)
    this.prefill = pace * (own * tokenMs + attended)
    this.answer = numbers.ownAnswer * outputTokens * answerStepMs
    this.batch = numbers.batch * peers * work + numbers.queue * peers * pace * costs.prefillTokenMs * prefillTokens
    this.lost = (numbers.lostWork + numbers.lostWhenSaturated * saturation * scene.meanInFlight) * work
    this.others = numbers.others * outputTokens * (costs.sequenceMs + costs.kvTokenMs * (promptTokens + outputTokens / 2)) * pace * inFlight
    this.full = this.overflow(node, { residentTokens, peers }) * answerStepMs * outputTokens
    this.silent = 0
    if (decoding > 0)
      this.silent =
        this.sum * (this.silence(scene.nowMs - node.lastProgressMs, pace * (stepMs + costs.prefillTokenMs * maxBatchedTokens)) - 1)
  }

  private overflow(node: NodeBelief, { residentTokens, peers }: { readonly residentTokens: number; readonly peers: number }): number {
    const { numbers } = this
    const { kvBlocks, kvBlockTokens } = node.load ?? {}
    const room = kvBlocks !== undefined && kvBlockTokens !== undefined ? kvBlocks * kvBlockTokens : numbers.kvTokens
    const overMemory = Math.max(0, residentTokens / Math.max(1, room) - FULL_MEMORY)
    const overBatch = Math.max(0, node.inFlight + 1 - numbers.maxSeqs)
    return numbers.fullMemory * overMemory + (numbers.fullBatch * peers * overBatch) / numbers.maxSeqs
  }

  /** 1 while a node that decodes gives tokens as it should; then more, in proportion to its silence. */
  private silence(silentMs: number, fullStepMs: number): number {
    const { silentAfterMs, silentAtMost } = this.numbers
    return clamp(silentMs / Math.max(silentAfterMs, 5 * fullStepMs), 1, silentAtMost)
  }
}

function clamp(value: number, least: number, most: number): number {
  return value < least ? least : value > most ? most : value
}
