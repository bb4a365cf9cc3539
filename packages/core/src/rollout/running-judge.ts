import type { MetricQuestion, RequestRecord, ShadowPair } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { nodeIdOf, type MetricPlan } from '../topology/index.js'
import {
  Judge,
  MetricWatch,
  pluginSource,
  readGoldenFile,
  RecentSamples,
  runGolden,
  samplesOf,
  samplesOfPair,
  urlSource,
  type JudgeSample,
  type MetricSource,
} from './judge/index.js'
import { Memory, type EvidenceShelf } from './memory.js'
import { placesOf } from './places.js'
import type { RolloutRecord } from './rollout-record.js'
import type { JudgeReport } from './rollout-status.js'
import type { RolloutWorld } from './rollout-world.js'
import { SteadyTimes } from './steady-times.js'

/** The judge of one rollout with all that it listens to: requests, copies of them, golden prompts, metrics. */
export interface RunningJudge {
  /** A request has ended, or `goesOn` elsewhere after the new revision has failed it, and ends later. True where the verdict is bad now. */
  add(record: RequestRecord, goesOn: boolean): boolean
  pair(pair: ShadowPair): boolean
  /** The nodes of a stage are there, and shares are as they stay for a while. */
  step(): void
  /** New nodes are there to be asked. */
  ready(): void
  /** It goes on from what an earlier balancer has seen. */
  readonly isTakenUp: boolean
  /** Golden prompts are still being asked. */
  readonly isAsking: boolean
  report(): JudgeReport
  /** No more will come. */
  finalVerdict(): JudgeReport
  /** It asks nothing more. */
  stop(): void
  /** The same, and what it has seen is kept for the next balancer. */
  leave(): void
}

export interface JudgeHooks {
  /** The verdict may be another one, and no request said so. */
  readonly onNews: () => void
  /** Ids of what there is to be asked. */
  readonly freshNodes: () => readonly string[]
}

export function startJudge(
  record: RolloutRecord,
  world: RolloutWorld,
  { onNews, freshNodes, shelf }: JudgeHooks & { readonly shelf: EvidenceShelf },
): RunningJudge {
  const { plan, ground, pool } = record
  const judge = new Judge(plan.judge)
  const isTakenUp = judge.takeUp(shelf.read())
  const memory = new Memory({ clock: world.clock, log: world.log, pool, shelf, kept: () => judge.kept() })
  const times = new SteadyTimes(world.clock)
  const recent = plan.judge.metrics.some(({ plugin }) => plugin !== undefined) ? new RecentSamples() : undefined
  const sides = { old: ground.old, new: ground.fresh }
  const isJudged = judgedNodes(record)
  const cancel = new AbortController()
  /** Requests whose failure was told before they ended. */
  const heard = new Set<string>()
  let isAsked = false
  let isAsking = false
  // Nobody waits for these: what they throw would end the process.
  const tellNews = (): void => {
    try {
      onNews()
    } catch (error) {
      world.log.error('rollout.news_failed', { pool, error: messageOf(error) })
    }
  }
  const metrics = plan.judge.metrics.map((metric) => {
    const onReading = (reading: Parameters<Judge['metric']>[0]): void => {
      judge.metric(reading)
      tellNews()
    }
    const source = sourceOf(metric, {
      world,
      pool,
      revisions: { new: ground.fresh, old: ground.old },
      recent,
      fromMs: world.clock.epochMs(),
    })
    return new MetricWatch(metric, { clock: world.clock, source, onReading })
  })
  const take = (samples: readonly JudgeSample[]): boolean => {
    for (const sample of samples) {
      judge.add(sample)
      recent?.add(sample)
      memory.changed()
    }
    return judge.isBad
  }
  const askGolden = async (file: string): Promise<void> => {
    const prompts = await readGoldenFile(file)
    const asker = world.asker(pool, freshNodes)
    const outcome = await runGolden(prompts, asker, cancel.signal)
    if (!cancel.signal.aborted) judge.golden(outcome)
  }
  const stop = (): void => {
    cancel.abort()
    memory.stop()
    for (const metric of metrics) metric.stop()
  }
  return {
    isTakenUp,
    add(settled, goesOn) {
      if (!goesOn && heard.delete(settled.id)) return judge.isBad
      const samples = samplesOf(onlyOf(times.dated(settled), isJudged), sides)
      if (goesOn && samples.length > 0) heard.add(settled.id)
      return take(samples)
    },
    pair: (pair) => (pair.revision === ground.fresh ? take(samplesOfPair(pair)) : judge.isBad),
    step: () => judge.step(times.nowMs()),
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
          tellNews()
        })
    },
    get isAsking() {
      return isAsking
    },
    report: () => judge.report(),
    finalVerdict: () => judge.finalVerdict(),
    stop,
    leave() {
      memory.write()
      stop()
    },
  }
}

interface Told {
  readonly world: RolloutWorld
  readonly pool: string
  readonly revisions: Readonly<Record<MetricQuestion['side'], string>>
  readonly recent: RecentSamples | undefined
  readonly fromMs: number
}

/** Who tells a metric: a URL, or a plugin that is shown what was seen. */
function sourceOf({ plugin, args, ...plan }: MetricPlan, { world, pool, revisions, recent, fromMs }: Told): MetricSource {
  if (plugin === undefined) return urlSource(plan, world.fetchText, revisions)
  const found = world.metric(plugin)
  return pluginSource(
    plugin,
    found &&
      ((side, signal) => {
        const samples = recent?.of(side === 'new' ? 'canary' : 'baseline') ?? []
        const toMs = world.clock.epochMs()
        return found.evaluate({
          settings: args ?? {},
          pool,
          side,
          revision: revisions[side],
          fromMs,
          toMs,
          samples,
          host: world.host,
          signal,
        })
      }),
  )
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
