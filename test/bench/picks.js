/** What a choice costs: the belief's own work for a request, and a pick of each strategy. Plain Node.js on the built packages: `npm run bench:picks`. */
import { parseArgs } from 'node:util'
import { createBelief, createStrategyRegistry, seededRandom } from '@plimsoll/core/routing'

/** @typedef {import('@plimsoll/core/routing').RequestFacts} RequestFacts */
/** @typedef {import('@plimsoll/core/routing').Candidate} Candidate */
/** @typedef {import('@plimsoll/core/routing').Belief} Belief */
/** @typedef {import('@plimsoll/core/routing').Lease} Lease */

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, strategy: { type: 'string' }, ms: { type: 'string', default: '120' } },
})
const measureMs = Number(flags.ms)

const blocks = 32
const sharedBlocks = 20
const tenants = 200
const promptTokens = 2_400
/** Requests that are at a node while it is measured. */
const perNode = 4
const nodeCounts = [2, 16, 256, 1_000]
/** Most microseconds for a request's whole belief: asked about all nodes, opened, first token, settled. */
const beliefLimitsUs = new Map([
  [16, 6],
  [256, 25],
])

const clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  after: () => ({ cancel: () => undefined }),
}

/**
 * Prompts of tenants with a beginning of their own, and an end that nobody shares.
 *
 * @param {number} count
 * @returns {RequestFacts[]}
 */
function prompts(count) {
  const random = seededRandom(7)
  return Array.from({ length: count }, (_, index) => {
    const tenant = Math.floor(tenants * random.next() ** 2)
    const prefixHashes = Float64Array.from({ length: blocks }, (_unused, at) =>
      at < sharedBlocks ? hashOf(tenant * 64 + at) : hashOf(1e6 + index * 64 + at),
    )
    return {
      id: `r${index}`,
      face: 'openai-chat',
      model: 'm',
      stream: true,
      bodyBytes: 4 * promptTokens,
      promptTokens,
      outputTokens: 200,
      prefixHashes,
      prefixTokens: (/** @type {number} */ first) => Math.min(promptTokens, 64 * first),
      session: `s${tenant}`,
      client: `c${tenant}`,
      sloTtftMs: undefined,
    }
  })
}

/** @param {number} number */
function hashOf(number) {
  return Math.floor(seededRandom(number).next() * 2 ** 51)
}

/**
 * @param {number} count
 * @returns {Candidate[]}
 */
function nodes(count) {
  return Array.from({ length: count }, (_, index) => ({ id: `pool/n-${index}`, index, weight: 1, incarnation: 1 }))
}

const usage = { promptTokens, completionTokens: 200, cachedTokens: 1_200 }

/** A belief in the middle of its life: its caches are full, and each node works. */
class Scene {
  /** @param {number} count */
  constructor(count) {
    this.candidates = nodes(count)
    this.belief = createBelief({ clock, capacity: Math.max(count, 16) })
    for (const { index } of this.candidates) this.belief.learnLoad(index, { kvBlocks: 1_000, kvBlockTokens: 64 })
    /** @type {Lease[]} */
    this.open = []
    this.at = 0
    this.inFlight = perNode * count
  }

  /** @returns {RequestFacts} */
  next() {
    this.at = (this.at + 1) % facts.length
    return /** @type {RequestFacts} */ (facts[this.at])
  }

  /**
   * One request comes, another gets its first token, a third ends.
   *
   * @param {RequestFacts} request
   * @param {Candidate} node
   */
  step(request, node) {
    this.open.push(this.belief.open(node, request))
    if (this.open.length > this.inFlight / 2) this.open[this.open.length - Math.ceil(this.inFlight / 2)]?.firstToken()
    if (this.open.length > this.inFlight) this.open.shift()?.settle({ outcome: 'answered', usage })
  }

  /** @param {RequestFacts} request */
  nodeFor(request) {
    return /** @type {Candidate} */ (this.candidates[(request.prefixHashes[0] ?? 0) % this.candidates.length])
  }
}

/**
 * Microseconds of one call, without what happens between batches; the median of batches.
 *
 * @param {(done: number) => void} call
 * @param {() => void} between
 */
function costUs(call, between) {
  const batch = 64
  /** @type {number[]} */
  const costs = []
  const until = performance.now() + measureMs
  while (performance.now() < until || costs.length < 20) {
    between()
    const from = performance.now()
    for (let done = 0; done < batch; done += 1) call(done)
    costs.push(((performance.now() - from) * 1_000) / batch)
  }
  return costs.toSorted((one, other) => one - other)[costs.length >> 1] ?? 0
}

/** @param {number} count */
function beliefUs(count) {
  const scene = new Scene(count)
  const call = () => {
    const request = scene.next()
    scene.belief.cachedTokens(request, scene.candidates)
    scene.step(request, scene.nodeFor(request))
  }
  for (let warm = 0; warm < 20_000; warm += 1) call()
  return { us: costUs(call, () => undefined), mirrorBytes: scene.belief.mirrorBytes }
}

/**
 * @param {string} name
 * @param {number} count
 */
function pickUs(name, count) {
  const scene = new Scene(count)
  const { belief, candidates } = scene
  const strategy = registry.create(name, { settings: {}, random: seededRandom(1), clock, belief })
  const serve = () => {
    const request = scene.next()
    const node = candidates[strategy.pick(request, candidates)] ?? scene.nodeFor(request)
    scene.open.push(belief.open(node, request, strategy))
    if (scene.open.length > scene.inFlight / 2) scene.open[scene.open.length - Math.ceil(scene.inFlight / 2)]?.firstToken()
    if (scene.open.length > scene.inFlight) scene.open.shift()?.settle({ outcome: 'answered', usage })
  }
  for (let warm = 0; warm < Math.min(4_000, 2_000_000 / count); warm += 1) serve()
  return costUs(
    () => void strategy.pick(scene.next(), candidates),
    () => {
      for (let each = 0; each < 8; each += 1) serve()
    },
  )
}

const facts = prompts(20_000)
const registry = createStrategyRegistry()
const beliefRows = nodeCounts.map((count) => ({ nodes: count, ...beliefUs(count), limitUs: beliefLimitsUs.get(count) ?? null }))
const names = registry.all.map((plugin) => plugin.name).filter((name) => flags.strategy === undefined || name === flags.strategy)
const strategyRows = names.map((name) => {
  try {
    return { strategy: name, us: nodeCounts.map((count) => pickUs(name, count)) }
  } catch (error) {
    return { strategy: name, us: [], why: error instanceof Error ? error.message : String(error) }
  }
})

/** @param {number} value */
const shown = (value) => value.toFixed(value < 10 ? 2 : 1).padStart(9)

if (flags.json) process.stdout.write(`${JSON.stringify({ belief: beliefRows, strategies: strategyRows }, undefined, 2)}\n`)
else {
  const lines = [
    `microseconds, median; ${blocks} blocks in a prompt, ${perNode} requests at each node, ${process.version}`,
    '',
    `${'belief of one request'.padEnd(26)}${beliefRows.map((row) => `${row.nodes} nodes`.padStart(11)).join('')}`,
    `${''.padEnd(26)}${beliefRows.map(({ us }) => `  ${shown(us)}`).join('')}`,
    `${'  at most'.padEnd(26)}${beliefRows.map(({ limitUs }) => (limitUs === null ? '' : String(limitUs)).padStart(11)).join('')}`,
    `${'  mirror, MiB'.padEnd(26)}${beliefRows.map(({ mirrorBytes }) => `  ${shown(mirrorBytes / 1_048_576)}`).join('')}`,
    '',
    `${'one pick'.padEnd(26)}${nodeCounts.map((count) => `${count} nodes`.padStart(11)).join('')}`,
    ...strategyRows.map(({ strategy, us, why }) => `${strategy.padEnd(26)}${why ?? us.map((value) => `  ${shown(value)}`).join('')}`),
    '',
  ]
  process.stdout.write(lines.join('\n'))
}
const late = beliefRows.filter(({ us, limitUs }) => limitUs !== null && us > limitUs)
for (const { nodes: count, us, limitUs } of late) process.stderr.write(`${us.toFixed(2)} us with ${count} nodes is over ${limitUs}\n`)
if (late.length > 0) process.exitCode = 1
