import { LbError } from '../errors/index.js'
import { ChunkedDecoder, ChunkError } from './chunked-decoder.js'
import type { DoorExchange } from './door-exchange.js'

/** Tells which of a connection's bytes are one request's body, and hands them to its exchange. */
export class DoorBody {
  private readonly decoder: ChunkedDecoder | undefined
  private left = 0

  constructor(private readonly exchange: DoorExchange) {
    const { body } = exchange.request
    if (body === 'chunked') this.decoder = new ChunkedDecoder(exchange, 'refuse')
    else this.left = body
  }

  get done(): boolean {
    return this.decoder?.done ?? this.left === 0
  }

  /** Returns how many of the bytes belong to the body. Throws what is wrong with it. */
  feed(bytes: Buffer): number {
    if (this.decoder !== undefined) return this.feedChunked(this.decoder, bytes)
    const taken = Math.min(this.left, bytes.byteLength)
    this.left -= taken
    this.exchange.onBody(taken === bytes.byteLength ? bytes : bytes.subarray(0, taken))
    return taken
  }

  private feedChunked(decoder: ChunkedDecoder, bytes: Buffer): number {
    try {
      return decoder.push(bytes, 0, bytes.byteLength)
    } catch (error) {
      if (!(error instanceof ChunkError)) throw error
      const message = `the request body is not well framed: ${error.message}`
      throw new LbError(message, { code: 'LB_BAD_REQUEST', source: 'client', httpStatus: 400, cause: error })
    }
  }
}
