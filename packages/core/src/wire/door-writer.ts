import type { Socket } from 'node:net'
import { giveBodyMemory, takeBodyMemory } from './body-memory.js'
import { Outgoing, type FlushWatch } from './outgoing.js'
import { latin1 } from './response-text.js'

/**
 * Larger writes go as bytes in memory that is used again: a thousand streams of 4 KB events left 4 MB of strings a second behind, and the young
 * generation was collected three times as often.
 */
const MAX_TEXT_BYTES = 2_048

/** What goes to one client, and how much of it waits. */
export class DoorWriter implements FlushWatch {
  onDrain: (() => void) | undefined
  private readonly outgoing: Outgoing
  private isBlocked = false

  constructor(
    private readonly socket: Socket,
    private readonly writeStallMs: number,
  ) {
    this.outgoing = new Outgoing(socket, this)
  }

  /** `begins`: an answer. False: wait for `onDrain` before more. */
  write(text: string, begins = true): boolean {
    this.outgoing.write(text, begins)
    return this.flows()
  }

  /** Sends text, bytes and text as one. The bytes are the caller's again afterwards. */
  writeAround(before: string, bytes: Uint8Array, after: string, begins: boolean): boolean {
    if (before.length + bytes.byteLength + after.length <= MAX_TEXT_BYTES) return this.write(`${before}${latin1(bytes)}${after}`, begins)
    const first = `${this.outgoing.takeText()}${before}`
    const length = first.length + bytes.byteLength + after.length
    const memory = takeBodyMemory(length)
    memory.write(first, 0, 'latin1')
    memory.set(bytes, first.length)
    memory.write(after, first.length + bytes.byteLength, 'latin1')
    this.outgoing.writeLent({ bytes: memory.subarray(0, length), onLeft: () => giveBodyMemory(memory) }, begins)
    return this.flows()
  }

  /** What waits for the end of the turn leaves now. */
  flush(): void {
    this.outgoing.flush()
  }

  /** Node.js looks at the kernel's progress before it calls this a timeout; whoever writes again must not begin it anew. */
  watchStall(): void {
    if (this.socket.timeout !== this.writeStallMs) this.socket.setTimeout(this.writeStallMs)
  }

  /** The mark is the socket's own: Node.js tells of room only where its mark was passed. */
  private flows(): boolean {
    if (this.outgoing.waitingBytes < this.socket.writableHighWaterMark) return true
    this.isBlocked = true
    this.watchStall()
    return false
  }

  /** What was too much for a turn of the loop may have gone in one write. */
  onFlushed(): void {
    if (this.isBlocked && this.outgoing.waitingBytes < this.socket.writableHighWaterMark) this.drained()
  }

  /** From the connection: the socket has room again. */
  drained(): void {
    this.isBlocked = false
    this.socket.setTimeout(0)
    this.onDrain?.()
  }
}
