import type { Socket } from 'node:net'

/** What is longer does not wait: Node.js sends strings up to this from its stack. */
const MAX_WAITING_BYTES = 16_384

/** Who has something to send at the end of this turn: those who begin a request or an answer, and those who go on with one. */
let beginning: Outgoing[] = []
let goingOn: Outgoing[] = []

/** Wants to know when what it wrote has been handed to the socket. */
export interface FlushWatch {
  onFlushed(): void
}

/** Memory that is not ours. */
interface Lent {
  readonly bytes: Buffer
  readonly onLeft: () => void
}

/**
 * What leaves through one socket. Short pieces wait for the end of the turn of the event loop and leave together with those of all other sockets: the
 * process at the other end is woken once for a burst and not once for each write, and several texts for one socket become one write. Requests and the first
 * bytes of answers leave before the next events of streams: where a turn was late and has much to do, nobody's first token waits for all of that.
 */
export class Outgoing {
  /** Goes before the text. */
  private lent: Lent | undefined
  private text = ''

  constructor(
    private readonly socket: Socket,
    private readonly watch?: FlushWatch,
  ) {}

  /** Bytes that the kernel has not taken. */
  get waitingBytes(): number {
    return (this.lent?.bytes.byteLength ?? 0) + this.text.length + this.socket.writableLength
  }

  /** A string of bytes: one character each. `begins`: a request, or an answer. */
  write(text: string, begins: boolean): void {
    if (this.text === '') enlist(this, begins)
    this.text += text
    if (this.text.length >= MAX_WAITING_BYTES) this.flush()
  }

  /** The bytes must not change until they are sent. Not behind lent ones of the same turn. */
  writeBytes(parts: readonly Buffer[]): void {
    const text = this.takeText()
    if (this.socket.destroyed) return
    this.socket.cork()
    if (text !== '') this.socket.write(text, 'latin1')
    for (const part of parts) this.socket.write(part)
    this.socket.uncork()
  }

  /** What waits for the end of the turn; the caller sends it. */
  takeText(): string {
    const { text } = this
    this.text = ''
    return text
  }

  /** The bytes must not change until `onLeft`: the kernel has them, or nobody wants them any more. */
  writeLent(lent: Lent, begins: boolean): void {
    this.flush()
    this.lent = lent
    if (lent.bytes.byteLength >= MAX_WAITING_BYTES) this.flush()
    else enlist(this, begins)
  }

  flush(): void {
    const { lent } = this
    const text = this.takeText()
    this.lent = undefined
    if (this.socket.destroyed) return lent?.onLeft()
    if (lent !== undefined) this.socket.write(lent.bytes, lent.onLeft)
    if (text !== '') this.socket.write(text, 'latin1')
    if (lent !== undefined || text !== '') this.watch?.onFlushed()
  }
}

function enlist(outgoing: Outgoing, begins: boolean): void {
  if (beginning.length + goingOn.length === 0) setImmediate(flushAll)
  ;(begins ? beginning : goingOn).push(outgoing)
}

function flushAll(): void {
  const [first, then] = [beginning, goingOn]
  beginning = []
  goingOn = []
  for (const outgoing of first) outgoing.flush()
  for (const outgoing of then) outgoing.flush()
}
