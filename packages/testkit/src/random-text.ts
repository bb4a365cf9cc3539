/** Texts for rules that must hold for any text: the same every time, so that a failure can be looked at again. */
export function randomTexts(count: number, words: readonly string[]): readonly string[] {
  const next = numbers(20_261_121)
  return Array.from({ length: count }, () => {
    const parts = Math.floor(next() * 12)
    return Array.from({ length: parts }, () => (next() < 0.6 ? (words[Math.floor(next() * words.length)] ?? '') : noise(next))).join('')
  })
}

function noise(next: () => number): string {
  const length = Math.floor(next() * 20)
  return Array.from({ length }, () => String.fromCodePoint(Math.floor(next() * (next() < 0.8 ? 127 : 0xd7ff)))).join('')
}

/** mulberry32 of Tommy Ettinger: 0..1, from one number. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
