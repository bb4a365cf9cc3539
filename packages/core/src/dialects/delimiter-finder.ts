import { MultipartError } from './multipart-error.js'

/** More than any form needs; a boundary of few characters may also stand in a file's name. */
const MAX_PLACES = 1_024

/** Finds every place of a delimiter in bytes that arrive in pieces, also where a cut divides one. */
export class DelimiterFinder {
  /** Offsets, ascending. */
  readonly places: number[] = []
  private readonly needle: Buffer
  /** The last bytes that were seen, one less than the delimiter has. */
  private tail = Buffer.alloc(0)
  private seenBytes = 0

  constructor(delimiter: string) {
    this.needle = Buffer.from(delimiter, 'latin1')
  }

  /** Throws MultipartError. */
  push(bytes: Uint8Array): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const reach = this.needle.byteLength - 1
    const joint = Buffer.concat([this.tail, piece.subarray(0, reach)])
    if (this.tail.byteLength > 0) this.find(joint, this.seenBytes - this.tail.byteLength)
    this.find(piece, this.seenBytes)
    this.seenBytes += piece.byteLength
    this.tail = Buffer.from(piece.byteLength >= reach ? piece.subarray(piece.byteLength - reach) : joint.subarray(-reach))
  }

  private find(bytes: Buffer, offset: number): void {
    for (let at = bytes.indexOf(this.needle); at !== -1; at = bytes.indexOf(this.needle, at + 1)) {
      if (this.places.length === MAX_PLACES) throw new MultipartError(`the boundary stands over ${MAX_PLACES} times in it`, offset + at)
      this.places.push(offset + at)
    }
  }
}
