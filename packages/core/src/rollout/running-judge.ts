import type { RequestRecord, ShadowPair } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { nodeIdOf } from '../topology/index.js'
import { Judge, MetricWatch, readGoldenFile, runGolden, samplesOf, samplesOfPair, type JudgeSample } from './judge/index.js'
import { placesOf } from './places.js'
import type { RolloutRecord } from './rollout-record.js'
import type { JudgeReport } from './rollout-status.js'
import type { RolloutWorld } from './rollout-world.js'

/** The judge of one rollout with all that it listens to: requests, copies of them, golden prompts, metrics. */
export interface RunningJudge {
  /** A request has ended. True where the verdict is bad now. */
  add(record: RequestRecord): boolean
  pair(pair: ShadowPair): boolean
  /** The nodes of a stage are there, and shares are as they stay for a while. */
  step(): void
  /** New nodes are there to be asked. */
  ready(): void
  /** Golden prompts are still being asked. */
  readonly isAsking: boolean
  report(): JudgeReport
  /** No more will come. */
  finalVerdict(): JudgeReport
  /** It asks nothing more. */
  stop(): void
}

/** `onNews`: the verdict may be another one, and no request said so. `freshNodes`: ids of what there is to be asked. */
export function startJudge(
  record: RolloutRecord,
  world: RolloutWorld,
  { onNews, freshNodes }: { readonly onNews: () => void; readonly freshNodes: () => readonly string[] },
): RunningJudge {
  const { plan, ground, pool } = record
  const judge = new Judge(plan.judge)
  const sides = { old: ground.old, new: ground.fresh }
  const isJudged = judgedNodes(record)
  const cancel = new AbortController()
  let isAsked = false
  let isAsking = false
  const metrics = plan.judge.metrics.map((metric) => {
    const onReading = (reading: Parameters<Judge['metric']>[0]): void => {
      judge.metric(reading)
      onNews()
    }
    return new MetricWatch(metric, { clock: world.clock, fetch: world.fetchText, sides, onReading })
  })
  const take = (samples: readonly JudgeSample[]): boolean => {
    for (const sample of samples) judge.add(sample)
    return judge.isBad
  }
  const askGolden = async (file: string): Promise<void> => {
    const prompts = await readGoldenFile(file)
    const asker = world.asker(pool, freshNodes)
    const outcome = await runGolden(prompts, asker, cancel.signal)
    if (!cancel.signal.aborted) judge.golden(outcome)
  }
  return {
    add: (settled) => take(samplesOf(onlyOf(settled, isJudged), sides)),
    pair: (pair) => (pair.revision === ground.fresh ? take(samplesOfPair(pair)) : judge.isBad),
    step: () => judge.step(world.clock.epochMs()),
    ready() {
      if (isAsked) return
      isAsked = true
      for (const metric of metrics) metric.start()
      const { goldenFile } = plan.judge
      if (goldenFile === undefined) return
      isAsking = true
      askGolden(goldenFile)
        .catch((error: unknown) => judge.fault('golden', `golden prompts could not be asked: ${messageOf(error)}`))
        .finally(() => {
          isAsking = false
          onNews()
        })
    },
    get isAsking() {
      return isAsking
    },
    report: () => judge.report(),
    finalVerdict: () => judge.finalVerdict(),
    stop() {
      cancel.abort()
      for (const metric of metrics) metric.stop()
    },
  }
}

/** Nodes of the groups that change: others of the pool have the label of the old side, and are none to compare with. */
function judgedNodes({ ground, pool }: RolloutRecord): (node: string) => boolean {
  if (ground.pairs.some(({ from, to }) => from.source !== undefined || to.source !== undefined)) return () => true
  const places = ground.pairs.flatMap(({ from, to }) => placesOf([from, to]))
  const ids = new Set(places.map(({ group, slot }) => nodeIdOf({ name: pool }, group, slot)))
  return (node) => ids.has(node)
}

const NO_SIDE = '-'

/** Tries at other nodes say nothing. */
function onlyOf(record: RequestRecord, isJudged: (node: string) => boolean): RequestRecord {
  if (record.attempts.every(({ node }) => isJudged(node))) return record
  return { ...record, attempts: record.attempts.map((attempt) => (isJudged(attempt.node) ? attempt : { ...attempt, revision: NO_SIDE })) }
}
