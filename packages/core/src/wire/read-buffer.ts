/** Views up to this length are made once: events of a stream, and heads, come in the same few lengths for ever. All of them together are 0.3 MB. */
const MOST_KEPT_BYTES = 2_048

/** One read buffer for all sockets of one kind in a thread: what is read is used up, or copied, before the next read. */
export class ReadBuffer {
  readonly bytes = Buffer.allocUnsafeSlow(65_536)
  private readonly views: (Buffer | undefined)[] = Array.from({ length: MOST_KEPT_BYTES + 1 })

  /** The first so many bytes. Whoever keeps them beyond the read must copy them, whatever has become of their view. */
  read(length: number): Buffer {
    if (length > MOST_KEPT_BYTES) return this.bytes.subarray(0, length)
    return (this.views[length] ??= this.bytes.subarray(0, length))
  }

  /** True for bytes that the next read overwrites. */
  holds(bytes: Buffer): boolean {
    return bytes.buffer === this.bytes.buffer
  }
}
