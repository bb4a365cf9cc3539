import { resolve } from 'node:path'
import {
  formatDuration,
  formatFactor,
  formatIncrease,
  formatPercent,
  parseDuration,
  parseFactor,
  parseIncrease,
  parsePercent,
} from './quantities.js'
import type { TopologyInput } from './schema.js'

export const rolloutKinds = ['rolling', 'canary', 'blue-green', 'in-place', 'shadow', 'split'] as const

/**
 * How a revision goes live. `rolling`: node by node. `canary`: by growing shares of traffic. `blue-green`: a full second set, one switch. `in-place`: one
 * node's place at a time, where there is no room for two. `shadow`: copies of requests, answers compared and never shown. `split`: lasting shares.
 */
export type RolloutKind = (typeof rolloutKinds)[number]

export interface RolloutPlan {
  /** Absent: the planner takes what the accelerators allow. */
  readonly kind?: RolloutKind
  /** Of traffic that goes to the new revision, growing; the last is 1, but for `split` and `shadow`, which have one. */
  readonly steps: readonly number[]
  /** How long each step is watched at least. */
  readonly holdMs: number
  /** More nodes than declared at one moment, where there is room. */
  readonly maxSurge: number
  /** Nodes that may be missing at one moment. */
  readonly maxUnavailable: number
  /** How long the old set of `blue-green` is kept warm after the switch. */
  readonly keepOldMs: number
  /** Requests with this header go to the new revision from the first step on. */
  readonly header?: { /** Lower case. */ readonly name: string; readonly value: string }
  readonly judge: JudgePlan
  /** What happens when the judge says no: back at once, or a pause in which a person decides. */
  readonly rollback: 'auto' | 'ask'
  /** A rollout that gets no further for so long, pauses left out, counts as failed. */
  readonly progressMs: number
  /** Told of each phase: POST with the rollout's status as JSON. */
  readonly webhooks: readonly string[]
}

/** What a new revision may be worse by. Rates are shares 0..1. */
export interface JudgePlan {
  /** More failed requests than the old revision, as a difference of rates. */
  readonly errorRate: number
  /** Slower to the first token, as a ratio of medians. */
  readonly ttftRatio: number
  /** Slower from token to token, as a ratio of medians. */
  readonly tpotRatio: number
  /** More answers without content. */
  readonly emptyOutputs: number
  /** More answers that say the same over and over. */
  readonly repeatedOutputs: number
  /** More answers that are no JSON, or call a tool with none, where that was asked for. */
  readonly malformedOutputs: number
  /** Longer or shorter answers, as a ratio of means; absent: any. */
  readonly lengthRatio?: number
  /** Requests that a verdict needs on each side; fewer at the end of the last step is a failure. */
  readonly minSamples: number
  /** Chance that an equal revision is called worse, over a whole rollout. */
  readonly falseAlarmRate: number
  /** Absolute path of a file of prompts with what their answers must be. */
  readonly goldenFile?: string
  /** Figures told by a URL or by a plugin. */
  readonly metrics: readonly MetricPlan[]
}

export interface MetricPlan {
  readonly name: string
  /** Answers a number, or JSON with a number at `path`; `{revision}` in it is filled in. Absent: a plugin tells it. */
  readonly url?: string
  /** `result.0.value`; absent: the whole answer. */
  readonly path?: string
  /** Name of a plugin's metric; absent: a URL tells it. */
  readonly plugin?: string
  /** Its settings, with their defaults. */
  readonly args?: Readonly<Record<string, unknown>>
  readonly everyMs: number
  /** Outside of them it counts as bad. */
  readonly min?: number
  readonly max?: number
  /** Bad answers that are borne. */
  readonly failures: number
}

type RolloutInput = NonNullable<TopologyInput['pools'][string]['rollout']>
type JudgeInput = NonNullable<RolloutInput['judge']>
type MetricInput = NonNullable<JudgeInput['metrics']>[number]
type Settings = Readonly<Record<string, unknown>>
/** Settings of a plugin's metric with their defaults filled in. */
type MetricSettings = (metric: string, args: Settings) => Settings

/** Shares of traffic where nobody said which. */
export function defaultSteps(kind: RolloutKind | undefined): readonly number[] {
  if (kind === undefined || kind === 'canary') return [0.05, 0.25, 0.5, 1]
  return kind === 'split' ? [0.5] : [1]
}

/** Fills in the defaults. */
export function rolloutPlan(input: RolloutInput = {}, baseDir = '.', settingsOf: MetricSettings = (_, args) => args): RolloutPlan {
  const { kind, header } = input
  return {
    ...(kind === undefined ? {} : { kind }),
    steps: input.steps?.map((text) => parsePercent(text) ?? 0) ?? defaultSteps(kind),
    holdMs: ms(input.hold ?? '60s'),
    maxSurge: input.maxSurge ?? 1,
    maxUnavailable: input.maxUnavailable ?? 0,
    keepOldMs: ms(input.keepOld ?? '10m'),
    ...(header === undefined ? {} : { header: { name: header.name.toLowerCase(), value: header.value } }),
    judge: judgePlan(input.judge ?? {}, baseDir, settingsOf),
    rollback: input.rollback ?? 'auto',
    progressMs: ms(input.progress ?? '10m'),
    webhooks: input.webhooks ?? [],
  }
}

function judgePlan(input: JudgeInput, baseDir: string, settingsOf: MetricSettings): JudgePlan {
  const { golden, length } = input
  return {
    errorRate: more(input.errorRate ?? '+1%'),
    ttftRatio: times(input.ttft ?? 'x1.5'),
    tpotRatio: times(input.tpot ?? 'x1.5'),
    emptyOutputs: more(input.emptyOutputs ?? '+1%'),
    repeatedOutputs: more(input.repeated ?? '+1%'),
    malformedOutputs: more(input.malformed ?? '+1%'),
    ...(length === undefined ? {} : { lengthRatio: times(length) }),
    minSamples: input.minSamples ?? 50,
    falseAlarmRate: parsePercent(input.falseAlarmRate ?? '0.3%') ?? 0,
    ...(golden === undefined ? {} : { goldenFile: resolve(baseDir, golden) }),
    metrics: (input.metrics ?? []).map((metric) => metricPlan(metric, settingsOf)),
  }
}

function metricPlan({ name, url, plugin, args, path, every, min, max, failures }: MetricInput, settingsOf: MetricSettings): MetricPlan {
  return {
    name,
    ...(url === undefined ? {} : { url }),
    ...(plugin === undefined ? {} : { plugin, args: settingsOf(plugin, { ...args }) }),
    ...(path === undefined ? {} : { path }),
    everyMs: ms(every ?? '10s'),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    failures: failures ?? 2,
  }
}

/** As the file would say it. */
export function rolloutForm(plan: RolloutPlan): object {
  return {
    ...(plan.kind === undefined ? {} : { kind: plan.kind }),
    steps: plan.steps.map(formatPercent),
    hold: formatDuration(plan.holdMs),
    maxSurge: plan.maxSurge,
    maxUnavailable: plan.maxUnavailable,
    keepOld: formatDuration(plan.keepOldMs),
    ...(plan.header === undefined ? {} : { header: { ...plan.header } }),
    judge: judgeForm(plan.judge),
    rollback: plan.rollback,
    progress: formatDuration(plan.progressMs),
    webhooks: [...plan.webhooks],
  }
}

function judgeForm(judge: JudgePlan): object {
  return {
    errorRate: formatIncrease(judge.errorRate),
    ttft: formatFactor(judge.ttftRatio),
    tpot: formatFactor(judge.tpotRatio),
    emptyOutputs: formatIncrease(judge.emptyOutputs),
    repeated: formatIncrease(judge.repeatedOutputs),
    malformed: formatIncrease(judge.malformedOutputs),
    ...(judge.lengthRatio === undefined ? {} : { length: formatFactor(judge.lengthRatio) }),
    minSamples: judge.minSamples,
    falseAlarmRate: formatPercent(judge.falseAlarmRate),
    ...(judge.goldenFile === undefined ? {} : { golden: judge.goldenFile }),
    metrics: judge.metrics.map(({ everyMs, ...metric }) => ({ ...metric, every: formatDuration(everyMs) })),
  }
}

function ms(text: string): number {
  return parseDuration(text) ?? 0
}

function more(text: string): number {
  return parseIncrease(text) ?? 0
}

function times(text: string): number {
  return parseFactor(text) ?? 0
}

/** What counts where a pool says nothing about rollouts. */
export const rolloutDefaults: RolloutPlan = rolloutPlan()
