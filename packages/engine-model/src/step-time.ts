/** What one engine step costs: the five constants of `design/routing.md`, in milliseconds. */
export interface StepCosts {
  /** a: every step, whatever it holds (weights are read once). */
  readonly baseMs: number
  /** b: per prefill token. */
  readonly prefillTokenMs: number
  /** c: per decoding sequence. */
  readonly decodeSequenceMs: number
  /** d: per token of KV cache that decodes read. */
  readonly kvTokenMs: number
  /** e: per pair of a prefill token and a token that it attends to. */
  readonly attentionPairMs: number
}

/** What is in one step. */
export interface StepWork {
  readonly prefillTokens: number
  readonly decodeSequences: number
  readonly decodeKvTokens: number
  /** Sum over prefills of n * (context + n / 2). */
  readonly attentionPairs: number
}

/** f * (a + b*P + c*D + d*KV + e*sum n*(ctx + n/2)); `slowness` is f, 1 = the preset's own speed. */
export function stepMs(costs: StepCosts, work: StepWork, slowness: number): number {
  const prefill = costs.prefillTokenMs * work.prefillTokens + costs.attentionPairMs * work.attentionPairs
  const decode = costs.decodeSequenceMs * work.decodeSequences + costs.kvTokenMs * work.decodeKvTokens
  return slowness * (costs.baseMs + prefill + decode)
}
