import { connect, isIP, Socket, type OnReadOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { leanTls } from '../base/index.js'
import type { UpstreamTarget } from '../contracts/index.js'
import { Outgoing } from './outgoing.js'
import { own, type SocketOwner } from './owned-socket.js'
import { ReadBuffer } from './read-buffer.js'
import type { SocketCount } from './socket-count.js'

/** What a socket tells whoever holds it right now. */
export interface SocketHolder {
  onConnect(): void
  /** A view into a buffer that all sockets share: valid during the call only. */
  onBytes(bytes: Buffer): void
  /** Exactly once; no other event follows. */
  onClose(error: NodeJS.ErrnoException | undefined): void
}

const shared = new ReadBuffer()
/**
 * So many reads that each filled the buffer, and a connection lets the others go first: libuv reads 32 times, 2 MiB, before it looks at anybody
 * else, and small events in 2 MiB are many.
 */
const FULL_READS_AT_ONCE = 2
/** Up to this size head and body leave as one text, which Node.js copies to the kernel from its stack. */
const MAX_TEXT_BYTES = 16_384

const scratch = Buffer.allocUnsafeSlow(MAX_TEXT_BYTES)

/** Of one piece: two texts that are added up are copied once more when they are sent. */
function textOf(head: string, body: Buffer): string {
  const at = scratch.write(head, 0, 'latin1')
  return scratch.toString('latin1', 0, at + body.copy(scratch, at))
}

/** A connection to an engine, without streams in between: bytes go to the current holder. */
export class UpstreamSocket implements SocketOwner {
  connected = false
  private fullReads = 0
  /** Its holder wants nothing for now. */
  private paused = false
  /** It has had its share of this turn of the event loop. */
  private resting = false
  private error: NodeJS.ErrnoException | undefined
  private readonly socket: Socket
  private readonly outgoing: Outgoing

  constructor(
    target: UpstreamTarget,
    private holder: SocketHolder | undefined,
    private readonly sockets: SocketCount,
  ) {
    this.socket = sockets.isSpent ? refusedSocket() : openSocket(target, { buffer: shared.bytes, callback: (bytes) => this.read(bytes) })
    sockets.addEngine(1)
    this.outgoing = new Outgoing(this.socket)
    own(this.socket, this, target.tls ? 'secureConnect' : 'connect')
  }

  /** Hands the socket to its next holder. */
  hold(holder: SocketHolder): void {
    this.holder = holder
  }

  /** The body's parts follow the head without a copy; they must not change until they are sent. */
  send(head: string, body: readonly Buffer[]): void {
    const [only] = body
    if (body.length === 1 && only !== undefined && head.length + only.byteLength <= MAX_TEXT_BYTES)
      return this.outgoing.write(textOf(head, only), true)
    this.outgoing.write(head, true)
    if (only !== undefined) this.outgoing.writeBytes(body)
  }

  /** Nothing that was given to `send` is still waiting. */
  get isIdle(): boolean {
    return this.outgoing.waitingBytes === 0
  }

  pause(): void {
    this.paused = true
    this.socket.pause()
  }

  resume(): void {
    this.paused = false
    if (!this.resting) this.socket.resume()
  }

  /** An idle socket must not keep the process alive. */
  setIdle(idle: boolean): void {
    if (idle) this.socket.unref()
    else this.socket.ref()
  }

  /** Drops the connection; its holder hears nothing more. */
  drop(): void {
    this.holder = undefined
    this.socket.destroy()
  }

  private read(bytes: number): boolean {
    this.fullReads = bytes < shared.bytes.byteLength ? 0 : this.fullReads + 1
    this.holder?.onBytes(shared.read(bytes))
    if (this.fullReads >= FULL_READS_AT_ONCE) this.rest()
    return true
  }

  /** Until the others have had their turn. */
  private rest(): void {
    this.fullReads = 0
    this.resting = true
    this.socket.pause()
    setImmediate(() => {
      this.resting = false
      if (!this.paused) this.socket.resume()
    })
  }

  onOpen(): void {
    this.connected = true
    this.holder?.onConnect()
  }

  onFailure(error: NodeJS.ErrnoException): void {
    this.error = error
  }

  onSaidAll(): void {
    this.socket.destroy()
  }

  onClosed(): void {
    const { holder } = this
    this.sockets.addEngine(-1)
    this.holder = undefined
    holder?.onClose(this.error)
  }
}

/** Fails as the kernel would have it fail a little later, when nothing is left for those who look after this process either. */
function refusedSocket(): Socket {
  return new Socket().destroy(Object.assign(new Error('the limit of open files is reached'), { code: 'EMFILE' }))
}

function openSocket(target: UpstreamTarget, onread: OnReadOpts): Socket {
  if (target.socketPath !== undefined) return connect({ path: target.socketPath, onread })
  const address = { host: target.host, port: target.port, noDelay: true, onread }
  if (!target.tls) return connect(address)
  // SNI takes names only: RFC 6066 section 3.
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    ...address,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
  }
  return leanTls().connect(options)
}
