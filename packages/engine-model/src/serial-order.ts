import type { Sequence } from './sequence.js'

/** Where a sequence stands among others in order of admission. */
export function indexBySerial(sequences: readonly Sequence[], { serial }: Sequence): number {
  let low = 0
  let high = sequences.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sequences[middle]?.serial ?? 0) < serial) low = middle + 1
    else high = middle
  }
  return low
}
