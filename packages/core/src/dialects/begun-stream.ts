import type { Usage } from '../contracts/index.js'
import type { DeliveredLedger } from './delivered-ledger.js'
import type { TokenLedger } from './token-ledger.js'
import type { StreamInspector } from './stream-inspector.js'

/** What the events of a stream say besides choices and usage, such as `id`: plain values only. */
export type StreamIdentity = Readonly<Record<string, unknown>>

/** What a client was given of one answer so far, over all nodes that had a part in it. */
export class BegunStream {
  /** Tokens of the text; an event with content counts as one where nothing better is known. */
  tokens: number
  /** Why the answer ended, where the client has been told. */
  finish: string | undefined
  /** What the first node's engine counted, where it came so far; then what all did. */
  usage: Usage | undefined

  private constructor(
    /** As the client has seen it in the first node's events. */
    readonly identity: StreamIdentity,
    readonly ledger: DeliveredLedger,
    /** There where the engine was asked for the ids of its tokens. */
    readonly ids: TokenLedger | undefined,
    from: StreamInspector,
  ) {
    this.tokens = Math.max(ids?.count ?? 0, from.contentEvents)
    this.finish = from.finish
    this.usage = from.usage
  }

  /** Undefined where the stream was not one that could go on elsewhere. */
  static of(inspector: StreamInspector, ids?: TokenLedger): BegunStream | undefined {
    const { identity, ledger, hasOther } = inspector
    return identity === undefined || ledger === undefined || hasOther ? undefined : new BegunStream(identity, ledger, ids, inspector)
  }
}

export function identityOf(fields: Readonly<Record<string, unknown>>): StreamIdentity {
  const plain = Object.entries(fields).filter(([, value]) => value === null || typeof value !== 'object')
  return Object.fromEntries(plain)
}

export interface LastWords {
  readonly isChat: boolean
  /** Undefined: the client has it already. */
  readonly finish: string | undefined
  /** Undefined: the client did not ask for it. */
  readonly usage: Usage | undefined
}

/** The end of an answer that is whole although its node went away before it said so. */
export function endOfAnswer({ identity }: BegunStream, { isChat, finish, usage }: LastWords): string {
  const choice = isChat
    ? { index: 0, delta: {}, logprobs: null, finish_reason: finish }
    : { index: 0, text: '', logprobs: null, finish_reason: finish }
  const events: object[] = []
  if (finish !== undefined) events.push({ ...identity, choices: [choice] })
  if (usage !== undefined) events.push({ ...identity, choices: [], usage: usageJson(usage) })
  return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`
}

function usageJson({ promptTokens, completionTokens, cachedTokens }: Usage): object {
  const counts = { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens }
  return cachedTokens === undefined ? counts : { ...counts, prompt_tokens_details: { cached_tokens: cachedTokens } }
}
