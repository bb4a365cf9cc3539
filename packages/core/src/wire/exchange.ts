import type { HeaderView } from '../contracts/index.js'
import type { BodyWatch } from './body-collector.js'

export interface ExchangeHead {
  readonly method: string
  /** Path without the query. */
  readonly path: string
  /** Query without the question mark; empty where there is none. */
  readonly query: string
  readonly headers: HeaderView
}

export interface AnswerHead {
  readonly status: number
  readonly headers: HeaderView
  /** Further headers, in an object that many answers share: its text is made once. */
  readonly shared?: HeaderView
}

/** One request of a client and its answer, whatever door it came through. */
export interface Exchange {
  readonly head: ExchangeHead
  /** The client, as far as trusted proxies say who that is. */
  readonly peer: { readonly address: string }
  /** The whole body; at once where it is there already. Throws or rejects with LB_BODY_TOO_LARGE (413), LB_BODY_CONSUMED (500), LB_CLIENT_GONE, or what `watch` throws. */
  readBody(limitBytes: number, watch?: BodyWatch): Buffer | Promise<Buffer>
  /** Sends the head; once. It may travel with the first bytes: `write` or `end` follows in the same turn. */
  respond(head: AnswerHead): void
  /** False: wait for `onDrain` before more. The bytes are the caller's again when it returns. */
  write(bytes: Uint8Array): boolean
  /** True when the answer is chunked and whole chunk frames of an engine can pass as they are; known after `respond`. */
  readonly takesFrames: boolean
  /** Passes whole chunk frames on, like `write`; `last`: the closing frame is among them, and the answer has ended. Only where `takesFrames`. */
  writeFrames(frames: Uint8Array, last: boolean): boolean
  /** One callback at a time; the newest. */
  onDrain(callback: () => void): void
  /** Ends the answer, with its last bytes where given. */
  end(bytes?: Uint8Array): void
  /** The client must see a broken body, never a clean end. */
  abort(): void
  /** Calls back when the client left before the end; at once when it has left already. One callback at a time; the newest. */
  onGone(callback: () => void): void
  /** True once the head was sent. */
  readonly committed: boolean
}
