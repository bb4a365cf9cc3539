/**
 * Says whether a new revision is worse than the old one: by what both did with requests, by golden prompts and by metrics. Refuses to know how requests
 * reach nodes and what a verdict leads to.
 * Read first: judge.ts, then evidence.ts.
 */
export { Judge } from './judge.js'
export { samplesOf, samplesOfPair, type JudgeSample } from './judge-sample.js'
export { readGoldenFile } from './golden-file.js'
export type { GoldenAsker } from './golden-prompt.js'
export { runGolden } from './golden-run.js'
export { pluginSource, urlSource, type MetricFetch, type MetricSource } from './metric-source.js'
export { MetricWatch } from './metric-watch.js'
export { RecentSamples } from './recent-samples.js'
