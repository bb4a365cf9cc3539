import type { HeaderView } from '../contracts/index.js'

export interface ExchangeHead {
  readonly method: string
  /** Path without the query. */
  readonly path: string
  /** Query without the question mark; empty where there is none. */
  readonly query: string
  readonly headers: HeaderView
}

/** One request of a client and its answer, whatever door it came through. */
export interface Exchange {
  readonly head: ExchangeHead
  readonly peer: { readonly address: string }
  /** The whole body. Throws LB_BODY_TOO_LARGE (413), LB_BODY_CONSUMED (500) or LB_CLIENT_GONE. */
  readBody(limitBytes: number): Promise<Uint8Array>
  /** Sends the head; once. */
  respond(head: { readonly status: number; readonly headers: HeaderView }): void
  /** False: wait for `onDrain` before more. The bytes must not change afterwards. */
  write(bytes: Uint8Array): boolean
  onDrain(callback: () => void): void
  end(): void
  /** The client must see a broken body, never a clean end. */
  abort(): void
  /** Calls back when the client left before the end; at once when it has left already. */
  onGone(callback: () => void): void
  /** True once the head was sent. */
  readonly committed: boolean
}
