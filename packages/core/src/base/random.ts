/** A source of randomness that is handed in, so that a seed reproduces a run. */
export interface RandomSource {
  /** Uniform in [0, 1). */
  next(): number
}

export const systemRandom: RandomSource = { next: () => Math.random() }

/** Mulberry32: small, fast, good enough for choices and jitter; never for secrets. */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
    },
  }
}
