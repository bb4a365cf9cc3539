import type { Face, RequestFacts } from '../../contracts/index.js'
import type { Labels } from '../asked-headers.js'

/** A prompt that is asked often, as a client asked it. Lives in memory only: it is never written, logged or shown. */
export interface HotPrompt {
  readonly pool: string
  readonly face: Face
  readonly model: string
  readonly body: Uint8Array
  readonly hashes: RequestFacts['prefixHashes']
  readonly promptTokens: number
  /** Prompt and answer, as long as they may be. */
  readonly neededTokens: number
  /** Whoever lacks them must not see it. */
  readonly requiredLabels: Labels | undefined
}

/** A prompt that was kept, as it crosses between threads. */
export interface KeptPrompt {
  readonly prompt: HotPrompt
  /** Rungs from its beginning on that are hot. */
  readonly hot: number
  /** Bytes that it brings beside others, each times how often it is asked. */
  readonly worth: number
}

/** One that came, before anybody has kept it. */
export interface OfferedPrompt extends Pick<HotPrompt, 'hashes'>, Pick<KeptPrompt, 'hot'> {
  readonly bytes: number
  /** What another thread has found it to be worth. */
  readonly worth?: number
  /** Makes it one that lasts. */
  readonly keep: () => HotPrompt
}
