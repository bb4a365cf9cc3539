import type { RandomSource } from '../../base/index.js'

/** A look at a prompt costs some microseconds: so many milliseconds lie between two of them on average, however many come. */
const BETWEEN_MS = 5
/** Where few come, each of them is looked at. */
const LONGEST_MS = 1_000
const MOST_PASSED = 10_000

/** Chooses at random which of the requests that pass are looked at; costs the others a subtraction. */
export class Looks {
  private every = 1
  private drawn = 1
  private left = 1
  private lookedAtMs = -Infinity

  constructor(private readonly random: RandomSource) {}

  /** For how many requests this one stands; 0: it passes. */
  take(nowMs: number): number {
    this.left -= 1
    const sinceMs = nowMs - this.lookedAtMs
    if (this.left > 0 && sinceMs < LONGEST_MS) return 0
    const passed = this.drawn - this.left
    const fitting = sinceMs > 0 ? (BETWEEN_MS * passed) / sinceMs : Infinity
    this.every = Math.min(Math.max(1, fitting), 2 * this.every, MOST_PASSED)
    this.lookedAtMs = nowMs
    this.drawn = this.left = 1 + Math.floor(this.random.next() * (2 * this.every - 1))
    return passed
  }
}
