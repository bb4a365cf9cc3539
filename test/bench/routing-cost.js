/** What one choice costs, by strategy and number of nodes: the pick with what it asks of the belief, and the claim from its making to its end. */
import { createBelief, seededRandom } from '@plimsoll/core/routing'
import { registry } from './routing-scenes.js'
import { aligned } from './table.js'

const sizes = [2, 16, 256, 1000]
const blocks = 32
const blockTokens = 64
const inFlightPerNode = 4
/** As asked of the belief: microseconds for a request of 32 blocks. */
const limits = new Map([
  [16, 6],
  [256, 25],
])

/** @typedef {import('@plimsoll/core/routing').RequestFacts} RequestFacts */

/** @type {import('@plimsoll/core/routing').Clock} */
const clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  after: () => ({ cancel: () => {} }),
}

/** @param {{ readonly quick: boolean }} setting @returns {import('./routing-parts.js').Part} */
export function cost({ quick }) {
  const rounds = quick ? 2 : 5
  const rows = registry.all.map(({ name }) => ({ name, us: sizes.map((size) => measure(name, size, rounds)) }))
  const lines = rows.map(({ name, us }) => [name, ...us.map(({ pick, claim }) => `${short(pick)} + ${short(claim)}`)])
  const claims = [...limits].map(([size, limit]) => {
    const least = Math.min(...rows.map(({ us }) => us[sizes.indexOf(size)]?.claim ?? Infinity))
    return `${size} nodes ${short(least)} (asked: ${limit})`
  })
  const text = [
    `Microseconds, median of ${rounds} rounds: pick + claim (open, first token, settle). Prompts of ${blocks} blocks, ${inFlightPerNode} requests in flight on each node.`,
    aligned(['strategy', ...sizes.map((size) => `${size} nodes`)], lines),
    `The belief's own part: ${claims.join(', ')}.`,
  ].join('\n\n')
  // A busy machine would miss these for us; they are shown, not judged.
  return { title: 'Cost of one choice', text, missed: [], data: rows }
}

/** @param {number} value */
function short(value) {
  return value < 10 ? value.toFixed(1) : value.toFixed(0)
}

/**
 * @param {string} name
 * @param {number} size
 * @param {number} rounds
 */
function measure(name, size, rounds) {
  const random = seededRandom(1)
  const belief = createBelief({ clock, capacity: size })
  const candidates = Array.from({ length: size }, (_, at) => ({ id: `n${at}`, index: belief.takeRow(), weight: 1 }))
  const strategy = registry.create(name, { settings: {}, random, clock, belief })
  for (const { index } of candidates)
    belief.learnLoad(index, { running: 3, waiting: 1, slots: 256, kvUsedRatio: 0.4, kvBlocks: 25_750, kvBlockTokens: 16 })
  const prompts = Array.from({ length: 512 }, (_, at) => factsOf(at, random))
  /** @type {import('@plimsoll/core/routing').Lease[]} */
  const open = []
  const claim = (/** @type {number} */ at, /** @type {number} */ to) => {
    const node = candidates[to]
    const facts = prompts[at % prompts.length]
    if (node !== undefined && facts !== undefined) open.push(belief.open(node, facts, strategy))
  }
  const end = () => {
    const lease = open.shift()
    lease?.firstToken()
    lease?.settle({ outcome: 'answered', usage: { promptTokens: blocks * blockTokens, completionTokens: 50, cachedTokens: 1000 } })
  }
  for (let at = 0; at < inFlightPerNode * size; at++) claim(at, at % size)
  const samples = Array.from({ length: rounds }, (_, round) => ({
    pick: timed((at) => strategy.pick(prompts[(at + 77 * round) % prompts.length] ?? factsOf(0, random), candidates)),
    claim: timed((at) => {
      end()
      claim(at, (at * 7919) % size)
    }),
  }))
  return { pick: median(samples.map(({ pick }) => pick)), claim: median(samples.map(({ claim }) => claim)) }
}

/** Microseconds of one call. @param {(at: number) => void} act */
function timed(act) {
  let calls = 0
  const fromMs = performance.now()
  while (performance.now() - fromMs < 8) for (let at = 0; at < 16; at++) act(calls++)
  return (1000 * (performance.now() - fromMs)) / calls
}

/** @param {readonly number[]} values */
function median(values) {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0
}

/**
 * A third of each prompt is one of 16 beginnings, the rest its own.
 *
 * @param {number} at
 * @param {import('@plimsoll/core/routing').RandomSource} random
 * @returns {RequestFacts}
 */
function factsOf(at, random) {
  const shared = Math.floor(blocks / 3)
  const tenant = at % 16
  const hash = (/** @type {number} */ block) => (block < shared ? 1 + 1000 * tenant + block : Math.floor(1e6 + 1e15 * random.next()))
  return {
    id: `r${at}`,
    face: 'openai-chat',
    model: 'm',
    stream: true,
    bodyBytes: 4 * blocks * blockTokens,
    promptTokens: blocks * blockTokens,
    outputTokens: 200,
    prefixHashes: Float64Array.from({ length: blocks }, (_, block) => hash(block)),
    prefixTokens: (count) => count * blockTokens,
    session: `s${at % 64}`,
    client: `t${tenant}`,
    sloTtftMs: undefined,
  }
}
