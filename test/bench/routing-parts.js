/** The parts of the routing bench: each measures, and says what was missed. */
import { meanPair, geometricMean, intervalOf } from './routing-runs.js'
import { blindScene, defaultContender, registry, sceneOf } from './routing-scenes.js'
import { blindTarget, columns, faultTarget, reproduction, studyRows, targets } from './routing-study.js'
import { aligned } from './table.js'

/** @typedef {import('./routing-runs.js').Runs} Runs */
/** @typedef {import('./routing-scenes.js').Scene} Scene */
/** @typedef {import('./routing-study.js').Contender} Contender */
/** @typedef {import('./routing-study.js').Pair} Pair */
/** @typedef {{ readonly title: string, readonly text: string, readonly missed: readonly string[], readonly data: unknown }} Part */
/** @typedef {{ readonly runs: Runs, readonly contender: Contender, readonly quick: boolean, readonly blind: number }} Setting */

/** @type {Contender} */
const roundRobin = { name: 'round-robin' }
/** @type {Contender} */
const lmetric = { name: 'lmetric' }
/** @type {Contender} */
const cacheAware = { name: 'cache-aware' }

/** @param {Setting} setting @returns {Part} */
export function table({ runs, quick }) {
  const seeds = quick ? [1] : [1, 2, 3]
  const missed = /** @type {string[]} */ ([])
  const rows = studyRows.map(({ called, contender, ratios }) => ({
    called,
    strategy: contender.name,
    cells: columns.map((scene, at) => {
      const ours = meanPair(runs.ratios(sceneOf(scene), contender, roundRobin, seeds))
      const study = /** @type {Pair} */ (ratios[at])
      const isNear = ours === undefined ? [false, false] : study.map((figure, which) => near(ours[which] ?? 0, figure))
      if (ours === undefined) missed.push(`${called}: there is no strategy ${contender.name}`)
      else if (!isNear.every(Boolean)) missed.push(`${called} on ${scene}: ${inWords(ours)}, the study has ${inWords(study)}`)
      return { scene, ours, study, isNear }
    }),
  }))
  const lines = rows.map(({ called, cells }) => [called, ...cells.map(({ ours, study, isNear }) => cellOf(ours, study, isNear))])
  const text = [
    'Ours / the study\'s; p90 TTFT . mean E2E as ratios to round robin; "!" = not within 25 %.',
    aligned(['strategy', ...columns], lines),
    orders(rows),
  ].join('\n\n')
  return { title: 'Ratios to round robin, 8 nodes, level 1.0', text, missed: [...new Set(missed)], data: rows }
}

/**
 * A study's figure has two digits behind the point: it stands for all that are rounded to it.
 *
 * @param {number} ours
 * @param {number} study
 */
function near(ours, study) {
  return ours <= (study + 0.005) * (1 + reproduction) && ours >= (study - 0.005) / (1 + reproduction)
}

/** @param {Pair | undefined} ours @param {Pair} study @param {readonly boolean[]} isNear */
function cellOf(ours, study, isNear) {
  if (ours === undefined) return `- / ${inWords(study)}`
  return `${inWords(ours)} / ${inWords(study)}${isNear.every(Boolean) ? '' : ' !'}`
}

/** @param {Pair} pair */
function inWords([p90, e2e]) {
  return `${figure(p90)} . ${figure(e2e)}`
}

/** @param {number} value */
export function figure(value) {
  return value < 0.095 ? value.toFixed(3).replace(/^0/, '') : value.toFixed(2).replace(/^0/, '')
}

/**
 * Of the pairs of strategies that the study tells apart by 10 % or more, how many stand in the same order with us.
 *
 * @param {readonly { readonly cells: readonly { readonly ours: Pair | undefined, readonly study: Pair }[] }[]} rows
 */
function orders(rows) {
  const measures = /** @type {const} */ ([
    ['p90 TTFT', 0],
    ['mean E2E', 1],
  ])
  const shares = measures.map(([name, which]) => {
    let [same, all] = [0, 0]
    for (const [at] of columns.entries())
      for (const [index, one] of rows.entries())
        for (const other of rows.slice(index + 1)) {
          const [a, b] = [one.cells[at], other.cells[at]]
          if (a?.ours === undefined || b?.ours === undefined) continue
          const study = Math.log(a.study[which] / b.study[which])
          if (Math.abs(study) < Math.log(1.1)) continue
          all++
          if (study * Math.log(a.ours[which] / b.ours[which]) > 0) same++
        }
    return `${name} ${same} of ${all}`
  })
  return `Pairs of strategies that the study tells apart by 10 % or more and that stand in the same order with us: ${shares.join(', ')}.`
}

/** @param {Setting} setting @returns {Part} */
export function judged({ runs, quick, contender }) {
  const seeds = quick ? [1] : [1, 2, 3]
  const rows = targets.map(({ scene, level, toCacheAware, toLmetric }) => {
    const at = sceneOf(/** @type {import('./routing-scenes.js').SceneName} */ (scene), level)
    return rowFor(`${scene}${level === 1 ? '' : ` x ${level.toFixed(2)}`}`, [at], { runs, contender, seeds, toCacheAware, toLmetric })
  })
  return partOf(`Targets: ${contender.name}, mirror only`, rows)
}

const crashAtMs = 30_000
/** Loads are lowered by what the fault takes away from the fleet, and a little more. */
const faults = /** @type {const} */ ([
  { name: 'half the nodes 2x slower', level: 0.7, slowness: [1, 2, 1, 2, 1, 2, 1, 2], faults: [] },
  { name: 'one node 4x slower', level: 0.8, slowness: [1, 1, 1, 4, 1, 1, 1, 1], faults: [] },
  {
    name: 'one crash, back after 60 s',
    level: 0.8,
    slowness: [],
    faults: [{ kind: 'crash', atMs: crashAtMs, node: 3, backAfterMs: 60_000 }],
  },
])

/** @param {Setting} setting @returns {Part} */
export function faulty({ runs, quick, contender }) {
  const seeds = quick ? [1] : [1, 2, 3]
  const rows = faults.map(({ name, level, slowness, faults: list }) => {
    const scenes = /** @type {const} */ (['mooncake', 'chat']).map((scene) => ({
      ...sceneOf(scene, level, 1 / 2),
      slowness,
      faults: list,
    }))
    return rowFor(name, scenes, { runs, contender, seeds, ...faultTarget })
  })
  return partOf(`Faults: ${contender.name}, geometric mean of mooncake and chat`, rows)
}

/**
 * @param {string} name
 * @param {readonly Scene[]} scenes
 * @param {{ runs: Runs, contender: Contender, seeds: readonly number[], toCacheAware: Pair, toLmetric: Pair }} asked
 */
function rowFor(name, scenes, { runs, contender, seeds, toCacheAware, toLmetric }) {
  const against = (/** @type {Contender} */ other) => meanPair(scenes.flatMap((scene) => runs.ratios(scene, contender, other, seeds)))
  const found = { toCacheAware: against(cacheAware), toLmetric: against(lmetric) }
  const asked = { toCacheAware, toLmetric }
  const missed = /** @type {const} */ (['toCacheAware', 'toLmetric']).flatMap((which) => {
    const got = found[which]
    if (got === undefined) return [`${name}: a strategy is missing`]
    const holds = asked[which].every((most, at) => (got[at] ?? Infinity) <= most)
    return holds
      ? []
      : [`${name}, ${which === 'toLmetric' ? 'to lmetric' : 'to cache-aware'}: ${precise(got)}, asked ${precise(asked[which])}`]
  })
  return { name, found, asked, missed }
}

/** @param {Pair} pair */
function precise([p90, e2e]) {
  return `${p90.toFixed(3)} . ${e2e.toFixed(3)}`
}

/**
 * @param {string} title
 * @param {readonly ReturnType<typeof rowFor>[]} rows
 * @returns {Part}
 */
function partOf(title, rows) {
  const lines = rows.map(({ name, found, asked, missed }) => [
    name,
    found.toCacheAware === undefined ? '-' : precise(found.toCacheAware),
    precise(asked.toCacheAware),
    found.toLmetric === undefined ? '-' : precise(found.toLmetric),
    precise(asked.toLmetric),
    missed.length === 0 ? 'holds' : 'misses',
  ])
  const text = aligned(['', 'to cache-aware', 'asked', 'to lmetric', 'asked', ''], lines)
  return { title, text, missed: rows.flatMap(({ missed }) => missed), data: rows }
}

/** @param {Setting} setting @returns {Part} */
export function unseen({ runs, quick, contender, blind }) {
  const seeds = quick ? [1, 2] : [1, 2, 3, 4, 5, 6, 7, 8]
  const scenes = Array.from({ length: quick ? 8 : 10 }, (_, at) => blindScene(1000 * blind + at, quick ? 4000 : 10_000))
  const rows = scenes.map((scene) => {
    const pairs = runs.ratios(scene, contender, lmetric, seeds)
    return {
      name: scene.source.name,
      summary: scene.source.summary,
      pairs,
      mean: meanPair(pairs) ?? /** @type {Pair} */ ([Infinity, Infinity]),
    }
  })
  // One geometric mean over the workloads for each seed; the seeds are independent.
  const bySeed = seeds.map((_, at) => rows.map(({ pairs }) => pairs[at] ?? /** @type {Pair} */ ([Infinity, Infinity])))
  const overall = [0, 1].map((which) => intervalOf(bySeed.map((pairs) => geometricMean(pairs.map((pair) => pair[which] ?? Infinity)))))
  const measures = ['p90 TTFT', 'mean E2E']
  const missed = [
    ...measures.flatMap((name, which) => {
      const { mean = Infinity } = overall[which] ?? {}
      const most = blindTarget.mean[which] ?? 0
      return mean <= most ? [] : [`unseen workloads, ${name}: geometric mean ${mean.toFixed(3)} of lmetric's, asked ${most}`]
    }),
    ...rows.flatMap(({ name, mean }) =>
      mean.every((value, which) => value <= (blindTarget.single[which] ?? 0))
        ? []
        : [`${name}: ${precise(mean)} of lmetric's, asked ${precise(blindTarget.single)} for each`],
    ),
  ]
  const lines = rows.map(({ name, summary, mean }) => [name, precise(mean), summary])
  const sum = measures.map((name, which) => {
    const { mean = 0, low = 0, high = 0 } = overall[which] ?? {}
    return `${name} ${mean.toFixed(3)} (95 %: ${low.toFixed(3)} - ${high.toFixed(3)}), asked ${blindTarget.mean[which]}, stretch ${blindTarget.stretch[which]}`
  })
  const text = `${aligned(['workload', 'to lmetric', ''], lines)}\n\nGeometric means over all, ${seeds.length} paired seeds: ${sum.join('; ')}.`
  return { title: `Workloads that nobody tuned on, drawn by seed ${blind}: ${contender.name}`, text, missed, data: { rows, overall } }
}

/** The contender that a name means; throws for one that does not exist. @param {string | undefined} name @returns {Contender} */
export function contenderOf(name) {
  if (name === undefined) return defaultContender
  if (registry.find(name) === undefined)
    throw new Error(`there is no strategy "${name}"; known: ${registry.all.map((plugin) => plugin.name).join(', ')}`)
  return { name }
}
