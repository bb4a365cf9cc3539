import { Socket } from 'node:net'
import { ReadBuffer } from './read-buffer.js'

const shared = new ReadBuffer()

/** True for bytes that the next read of any connection overwrites. */
export function isShared(bytes: Buffer): boolean {
  return shared.holds(bytes)
}

/** Bytes that the kernel would not take at which a writer is asked to wait. What comes of one more read, 64 KiB, is the most that is held besides. */
const HIGH_WATER_BYTES = 32_768

export interface ByteReader {
  /** A view that the next read of any connection overwrites. */
  onBytes(bytes: Buffer): void
}

/** What Node.js keeps of a connection; not a public API. */
interface Inside {
  _handle?: object | null
  _server?: object | null
}

/**
 * Moves an accepted, paused connection to a socket that reads into one buffer, as `net.connect({onread})` does for outgoing ones: a buffer and a
 * stream event fewer for each read. `net.Server` has no option for it, so the handle is taken out; where there is none to take (TLS, another
 * Node.js), the connection is read the ordinary way.
 */
export function readShared(accepted: Socket, reader: ByteReader): Socket {
  const before: Inside = accepted as unknown as Inside
  // oxlint-disable no-underscore-dangle -- they have no other names
  const handle = before._handle
  if (handle === null || handle === undefined || 'encrypted' in accepted) {
    accepted.on('data', (bytes: Buffer) => reader.onBytes(bytes))
    return accepted.resume()
  }
  before._handle = null
  const onread = {
    buffer: shared.bytes,
    callback: (bytes: number) => {
      reader.onBytes(shared.read(bytes))
      return true
    },
  }
  const options = { handle, onread, allowHalfOpen: true, readable: true, writable: true, writableHighWaterMark: HIGH_WATER_BYTES }
  const socket = new Socket(options as ConstructorParameters<typeof Socket>[0])
  // The server counts its connections by this.
  ;(socket as unknown as Inside)._server = before._server ?? null
  before._server = null
  return socket
}
