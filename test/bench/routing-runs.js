/** Runs of strategies, each made once, with ratios between them over paired seeds. */
import { run } from './routing-scenes.js'

/** @typedef {import('./routing-scenes.js').Scene} Scene */
/** @typedef {import('./routing-scenes.js').SimulationResult} SimulationResult */
/** @typedef {import('./routing-study.js').Contender} Contender */
/** @typedef {import('./routing-study.js').Pair} Pair */

export class Runs {
  /** @type {Map<string, SimulationResult | undefined>} */
  #made = new Map()
  /** Simulated requests, and seconds that they took. */
  requests = 0
  seconds = 0

  /** @param {(text: string) => void} tell */
  constructor(tell) {
    this.tell = tell
  }

  /**
   * @param {Scene} scene
   * @param {Contender} contender
   * @param {number} seed
   */
  of(scene, contender, seed) {
    const { source, rate, requests, slowness = [], faults = [] } = scene
    const key = JSON.stringify([source.name, rate, requests, slowness, faults, contender, seed])
    if (this.#made.has(key)) return this.#made.get(key)
    this.tell(
      `${source.name} at ${rate.toFixed(2)}, ${contender.name}, seed ${seed}: ${this.requests} requests in ${this.seconds.toFixed(0)} s so far`,
    )
    const from = process.cpuUsage()
    const result = run(scene, contender, seed)
    const { user, system } = process.cpuUsage(from)
    this.seconds += (user + system) / 1e6
    this.requests += result?.sent ?? 0
    this.#made.set(key, result)
    return result
  }

  /**
   * p90 TTFT and mean E2E of one strategy over those of another, seed by seed; empty where one of them does not exist.
   *
   * @param {Scene} scene
   * @param {Contender} one
   * @param {Contender} other
   * @param {readonly number[]} seeds
   * @returns {readonly Pair[]}
   */
  ratios(scene, one, other, seeds) {
    return seeds.flatMap((seed) => {
      const [above, below] = [this.of(scene, one, seed), this.of(scene, other, seed)]
      if (above === undefined || below === undefined) return []
      return [/** @type {const} */ ([above.ttftMs.p90 / below.ttftMs.p90, above.e2eMs.mean / below.e2eMs.mean])]
    })
  }
}

/** @param {readonly Pair[]} pairs @returns {Pair | undefined} undefined for none */
export function meanPair(pairs) {
  if (pairs.length === 0) return undefined
  return [geometricMean(pairs.map(([p90]) => p90)), geometricMean(pairs.map(([, e2e]) => e2e))]
}

/** @param {readonly number[]} values */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

/** Two-sided 95 % points of Student's t, by degrees of freedom. */
const student = [0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131]

/**
 * Geometric mean with its 95 % interval over independent values.
 *
 * @param {readonly number[]} values
 */
export function intervalOf(values) {
  const logs = values.map(Math.log)
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length
  const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, logs.length - 1)
  const half = (student[logs.length - 1] ?? 1.96) * Math.sqrt(variance / logs.length)
  return { mean: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) }
}
