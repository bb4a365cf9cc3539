import type { RandomSource } from '@plimsoll/core/routing'
import { exponential, gamma } from './draws.js'

/** How the starts of requests or sessions lie in time. */
export interface Arrivals {
  readonly perSecond: number
  /** Standard deviation of the gaps over their mean; 1 = Poisson. */
  readonly cv: number
  /** Phases of more and of less load take turns; absent = none. The mean over both stays `perSecond`. */
  readonly phases?: {
    /** How many times more arrive in one than in the other. */
    readonly ratio: number
    /** Mean length of each; lengths are exponential. */
    readonly meanMs: number
  }
}

/** Due times in ms, rising, without end. */
export function* arrivalTimes({ perSecond, cv, phases }: Arrivals, random: RandomSource): Generator<number> {
  const meanGapMs = 1000 / perSecond
  const timeOf = phases === undefined ? (workMs: number) => workMs : phaseClock(phases, random)
  for (let workMs = 0; ;) {
    workMs += meanGapMs * (cv === 1 ? exponential(random) : gamma(random, cv))
    yield timeOf(workMs)
  }
}

/** Stretches a steady process: a phase of more load takes in more of it in the same time. Asked with rising values only. */
function phaseClock({ ratio, meanMs }: NonNullable<Arrivals['phases']>, random: RandomSource): (workMs: number) => number {
  const busySpeed = (2 * ratio) / (ratio + 1)
  let speed = random.next() < 0.5 ? busySpeed : 2 - busySpeed
  let [fromMs, fromWorkMs] = [0, 0]
  let lengthMs = meanMs * exponential(random)
  return (workMs) => {
    while (workMs > fromWorkMs + lengthMs * speed) {
      fromWorkMs += lengthMs * speed
      fromMs += lengthMs
      speed = 2 - speed
      lengthMs = meanMs * exponential(random)
    }
    return fromMs + (workMs - fromWorkMs) / speed
  }
}
