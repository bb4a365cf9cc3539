const MOST_KNOWN = 16

const known: Buffer[] = []
let oldest = 0

/** A copy of [start, end) of `bytes`; the same one for all who keep the same, as far as it was asked for of late. Not to be changed. */
export function sharedBytes(bytes: Buffer, start: number, end: number): Buffer {
  for (const one of known) if (one.byteLength === end - start && one.compare(bytes, start, end) === 0) return one
  // Memory of its own: a few bytes of a pool would keep all of the pool.
  const copy = Buffer.allocUnsafeSlow(end - start)
  bytes.copy(copy, 0, start, end)
  known[oldest] = copy
  oldest = (oldest + 1) % MOST_KNOWN
  return copy
}
