import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { UpstreamTarget } from '../contracts/index.js'

/** What a socket tells whoever holds it right now. */
export interface SocketEvents {
  onConnect(): void
  /** A view into a buffer that all sockets share: valid during the call only. */
  onBytes(bytes: Buffer): void
  /** Exactly once; no other event follows. */
  onClose(error: NodeJS.ErrnoException | undefined): void
}

/** One read buffer for all sockets of the process's data path: reads are consumed before the next one begins. */
const sharedBuffer = Buffer.allocUnsafeSlow(65_536)

/** A connection to an engine, without streams in between: bytes go to the current holder. */
export class UpstreamSocket {
  connected = false
  private events: SocketEvents | undefined
  private error: NodeJS.ErrnoException | undefined
  private readonly socket: Socket

  constructor(target: UpstreamTarget, events: SocketEvents) {
    this.events = events
    this.socket = openSocket(target, { buffer: sharedBuffer, callback: (bytes) => this.read(bytes) })
    this.socket.setNoDelay(true)
    this.socket.on(target.tls ? 'secureConnect' : 'connect', () => {
      this.connected = true
      this.events?.onConnect()
    })
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error))
    this.socket.on('end', () => this.socket.destroy())
    this.socket.on('close', () => this.closed())
  }

  /** Hands the socket to its next holder; undefined while it idles. */
  hold(events: SocketEvents | undefined): void {
    this.events = events
  }

  send(head: string, body: Uint8Array | undefined): void {
    if (body === undefined) return void this.socket.write(head, 'latin1')
    if (body.byteLength <= 16_384) return void this.socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]))
    this.socket.cork()
    this.socket.write(head, 'latin1')
    this.socket.write(body)
    this.socket.uncork()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** An idle socket must not keep the process alive. */
  setIdle(idle: boolean): void {
    if (idle) this.socket.unref()
    else this.socket.ref()
  }

  /** Drops the connection; its holder hears nothing more. */
  drop(): void {
    this.events = undefined
    this.socket.destroy()
  }

  private read(bytes: number): boolean {
    this.events?.onBytes(sharedBuffer.subarray(0, bytes))
    return true
  }

  private closed(): void {
    const events = this.events
    this.events = undefined
    events?.onClose(this.error)
  }
}

function openSocket(target: UpstreamTarget, onread: OnReadOpts): Socket {
  const address = { host: target.host, port: target.port, onread }
  if (!target.tls) return connectTcp(address)
  // SNI takes names only: RFC 6066 section 3.
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    ...address,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
  }
  return connectTls(options)
}
