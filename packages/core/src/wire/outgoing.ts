import type { Socket } from 'node:net'

/** Longer texts do not wait: Node.js sends strings up to this from its stack. */
const MAX_TEXT_BYTES = 16_384

let enlisted: Outgoing[] = []

/** Wants to know when what it wrote has been handed to the socket. */
export interface FlushWatch {
  onFlushed(): void
}

/**
 * What leaves through one socket. Short texts wait for the end of the turn of the event loop and leave together with those of all other sockets: the
 * process at the other end is woken once for a burst and not once for each write, and several texts for one socket become one write.
 */
export class Outgoing {
  private text = ''

  constructor(
    private readonly socket: Socket,
    private readonly watch?: FlushWatch,
  ) {}

  /** Bytes that the kernel has not taken. */
  get waitingBytes(): number {
    return this.text.length + this.socket.writableLength
  }

  /** A string of bytes: one character each. */
  write(text: string): void {
    if (this.text === '') enlist(this)
    this.text += text
    if (this.text.length >= MAX_TEXT_BYTES) this.flush()
  }

  /** The bytes must not change until they are sent. */
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
  writeLent(bytes: Buffer, onLeft: () => void): void {
    if (this.socket.destroyed) return onLeft()
    this.socket.write(bytes, onLeft)
    this.watch?.onFlushed()
  }

  flush(): void {
    const text = this.takeText()
    if (text === '' || this.socket.destroyed) return
    this.socket.write(text, 'latin1')
    this.watch?.onFlushed()
  }
}

function enlist(outgoing: Outgoing): void {
  if (enlisted.length === 0) setImmediate(flushAll)
  enlisted.push(outgoing)
}

function flushAll(): void {
  const list = enlisted
  enlisted = []
  for (const outgoing of list) outgoing.flush()
}
