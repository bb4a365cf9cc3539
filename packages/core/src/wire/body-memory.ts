const SMALLEST_BYTES = 4_096
const LARGEST_BYTES = 1_048_576
/** Free memory that is kept of each size. */
const MOST_FREE_BYTES = 8_388_608

interface Piece {
  readonly memory: Buffer
  isFree: boolean
}

const pieces = new WeakMap<ArrayBufferLike, Piece>()
const free = new Map<number, Piece[]>()

/**
 * Memory for a body, or a large piece of an answer, of so many bytes, at least. Pieces of 32 KiB to 1 MiB are used again and again: fresh ones cost a page fault every 4 KiB and a
 * collection each time some megabytes of them are gone, together more than reading the body.
 */
export function takeBodyMemory(bytes: number): Buffer {
  if (bytes < SMALLEST_BYTES / 2 || bytes > LARGEST_BYTES) return Buffer.allocUnsafe(bytes)
  let size = SMALLEST_BYTES
  while (size < bytes) size *= 2
  const used = free.get(size)?.pop()
  if (used !== undefined) {
    used.isFree = false
    return used.memory
  }
  const memory = Buffer.allocUnsafeSlow(size)
  pieces.set(memory.buffer, { memory, isFree: false })
  return memory
}

/** Gives a body's memory back, if it is of that kind. Nobody may read the body any more, a socket that still sends it included. */
export function giveBodyMemory(body: Uint8Array): void {
  const piece = pieces.get(body.buffer)
  if (piece === undefined || piece.isFree) return
  const size = piece.memory.byteLength
  const list = free.get(size) ?? []
  free.set(size, list)
  if (list.length * size >= MOST_FREE_BYTES) return
  piece.isFree = true
  list.push(piece)
}
