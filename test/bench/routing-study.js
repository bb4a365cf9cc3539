/** What a study published (by simulation, of engines like ours), and what is asked of us. Figures only. */

/** @typedef {{ readonly name: string, readonly settings?: Readonly<Record<string, unknown>>, readonly belief?: 'mirror' | 'exact' }} Contender */
/** @typedef {readonly [p90Ttft: number, meanE2e: number]} Pair */
/** @typedef {{ readonly called: string, readonly contender: Contender, readonly ratios: readonly Pair[] }} StudyRow */

/** Columns of the study's table; names of scenes. */
export const columns = /** @type {const} */ (['mooncake', 'agent', 'chat', 'tenant', 'bursty', 'azure'])

/** p90 TTFT and mean E2E as ratios to round robin, at level 1.0, in the order of the columns. @type {readonly StudyRow[]} */
export const studyRows = [
  row('least-connections', { name: 'least-requests' }, [0.17, 0.55, 0.79, 0.99, 0.84, 0.99, 0.89, 1.03, 0.98, 0.98, 0.94, 0.96]),
  row('in-flight tokens', { name: 'least-tokens' }, [0.11, 0.56, 0.79, 0.98, 0.87, 0.99, 0.95, 1.01, 0.99, 0.98, 0.89, 0.96]),
  row(
    'peak-EWMA on TTFT',
    { name: 'peak-ewma', settings: { among: 'two' } },
    [0.37, 0.69, 0.86, 0.99, 0.97, 0.99, 1.56, 1.02, 1.57, 1.01, 1.43, 0.99],
  ),
  row(
    'consistent hash, bounded 1.25, on prefix',
    { name: 'prefix-hash', settings: { prefixTokens: 640 }, belief: 'mirror' },
    [0.25, 0.55, 0.39, 0.63, 2.7, 1.2, 0.29, 0.52, 1.02, 0.91, 1.28, 0.99],
  ),
  row('sticky table + least-connections', { name: 'sticky' }, [0.19, 0.48, 0.02, 0.31, 0.02, 0.4, 0.89, 1.03, 0.98, 0.98, 0.94, 0.96]),
  row(
    'cache_aware .5/32/1.1',
    { name: 'cache-aware', settings: { threshold: 0.5, balanceAbs: 32, balanceRel: 1.1 } },
    [0.24, 0.59, 0.41, 0.64, 0.36, 0.71, 0.73, 0.87, 0.98, 0.95, 1.12, 1.02],
  ),
  row(
    'weighted scorers prefix 3, queue 2, kv 2 (polled)',
    { name: 'polled-scores' },
    [0.13, 0.49, 0.02, 0.29, 0.05, 0.47, 0.39, 0.62, 1.05, 0.87, 1.82, 1.0],
  ),
  row('min estimated TTFT', { name: 'min-ttft' }, [0.06, 0.49, 0.01, 0.31, 0.03, 0.44, 0.25, 0.53, 0.57, 0.89, 0.69, 0.97]),
  row(
    'prefill + decode blocks cost',
    { name: 'kv-cost', settings: { prefillScale: 3 } },
    [0.07, 0.49, 0.01, 0.31, 0.04, 0.48, 0.25, 0.47, 0.73, 0.88, 0.7, 0.96],
  ),
  row('LMetric', { name: 'lmetric' }, [0.06, 0.45, 0.01, 0.29, 0.03, 0.43, 0.25, 0.5, 0.51, 0.83, 0.69, 0.95]),
  row('mc, mirror', { name: 'marginal-cost' }, [0.06, 0.43, 0.01, 0.26, 0.02, 0.41, 0.23, 0.48, 0.54, 0.83, 0.68, 0.95]),
  row(
    'mc, KV events',
    { name: 'marginal-cost', belief: 'exact' },
    [0.06, 0.43, 0.01, 0.26, 0.03, 0.43, 0.23, 0.47, 0.51, 0.81, 0.68, 0.95],
  ),
]

/** At most so much of the other's figure: p90 TTFT, mean E2E. @typedef {{ readonly scene: string, readonly level: number, readonly toCacheAware: Pair, readonly toLmetric: Pair }} Target */

/** Levels are multiples of the study's rates (scenes.js): 2.9x is 1.208 of mooncake's 2.4x. @type {readonly Target[]} */
export const targets = [
  { scene: 'mooncake', level: 1, toCacheAware: [0.35, 0.8], toLmetric: [1.03, 0.97] },
  { scene: 'mooncake', level: 2.9 / 2.4, toCacheAware: [0.65, 0.97], toLmetric: [0.75, 0.9] },
  { scene: 'agent', level: 1, toCacheAware: [0.05, 0.5], toLmetric: [0.95, 0.95] },
  { scene: 'chat', level: 1, toCacheAware: [0.12, 0.65], toLmetric: [1, 1] },
  { scene: 'tenant', level: 1, toCacheAware: [0.4, 0.65], toLmetric: [1.02, 1] },
  { scene: 'azure', level: 1, toCacheAware: [0.7, 0.97], toLmetric: [1.03, 1.02] },
]

/** The same for nodes that are slow or die. */
export const faultTarget = { toCacheAware: /** @type {Pair} */ ([0.4, 0.75]), toLmetric: /** @type {Pair} */ ([1.02, 1]) }

/** On workloads that nobody tuned on: geometric means against LMetric, and the most for one of them. */
export const blindTarget = {
  mean: /** @type {Pair} */ ([1, 0.97]),
  single: /** @type {Pair} */ ([1.05, 1]),
  stretch: /** @type {Pair} */ ([0.95, 0.93]),
}

/** How far our ratios may lie from the study's. */
export const reproduction = 0.25

/**
 * @param {string} called
 * @param {Contender} contender
 * @param {readonly number[]} figures
 * @returns {StudyRow}
 */
function row(called, contender, figures) {
  return { called, contender, ratios: columns.map((_, at) => [figures[2 * at] ?? 0, figures[2 * at + 1] ?? 0]) }
}
