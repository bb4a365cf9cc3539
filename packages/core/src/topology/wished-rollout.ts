import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { headerFault, stepsFault, urlFault, type RolloutFault } from './rollout-faults.js'
import { defaultSteps, rolloutDefaults, rolloutKinds, type JudgePlan, type MetricPlan, type RolloutPlan } from './rollout-plan.js'
import { TopologyErrors } from './topology-errors.js'

/** What a wish may say of a rollout: any part, also of the judge. */
export type RolloutOverrides = Partial<Omit<RolloutPlan, 'judge'>> & { readonly judge?: Partial<JudgePlan> }

/**
 * A pool's plan of rollouts with what somebody wished for one. Other steps belong to another kind, so a wished kind brings its own. Nothing of the wish is
 * believed. Throws TopologyErrors with all mistakes at once.
 */
export function wishedRollout(declared: RolloutPlan | undefined, wished: RolloutOverrides = {}): RolloutPlan {
  const base = declared ?? rolloutDefaults
  const given = defined(wished)
  const steps = given.kind !== undefined && given.kind !== base.kind && given.steps === undefined ? { steps: defaultSteps(given.kind) } : {}
  const { header } = given
  const plan: RolloutPlan = {
    ...base,
    ...steps,
    ...given,
    ...(header === undefined ? {} : { header: { ...header, name: String(header.name).toLowerCase() } }),
    judge: { ...base.judge, ...defined(given.judge ?? {}) },
  }
  const faults = faultsOf(plan)
  if (faults.length === 0) return plan
  throw new TopologyErrors(
    faults.map(([keyPath, fault]) => ({ file: 'rollout', line: 0, column: 0, width: 1, keyPath, ...fault })),
    undefined,
  )
}

function defined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Value
}

type Found = readonly [string, RolloutFault | undefined]

function faultsOf(plan: RolloutPlan): readonly (readonly [string, RolloutFault])[] {
  const { kind, steps, header, webhooks, judge } = plan
  const found: readonly Found[] = [
    [
      'kind',
      kind === undefined || rolloutKinds.includes(kind)
        ? undefined
        : { message: 'there is no such kind', expected: rolloutKinds.join(', ') },
    ],
    [
      'steps',
      Array.isArray(steps) && steps.length > 0 ? named(stepsFault(kind, steps)) : { message: 'there is no step', expected: 'shares 0..1' },
    ],
    ['header', header === undefined ? undefined : headerFault(String(header.name))],
    ...webhooks.map((url, index): Found => [`webhooks[${index}]`, urlFault(String(url))]),
    ...judge.metrics.map((metric, index): Found => [`judge.metrics[${index}]`, sourceFault(metric)]),
    ...numbersOf(plan),
    ['judge.goldenFile', judge.goldenFile === undefined ? undefined : fileFault(String(judge.goldenFile))],
    ['rollback', ['auto', 'ask'].includes(plan.rollback) ? undefined : { message: 'there is no such way', expected: 'auto or ask' }],
    [
      'maxSurge',
      plan.maxSurge + plan.maxUnavailable > 0
        ? undefined
        : { message: 'with neither more nor fewer nodes than declared none can be replaced', expected: 'maxSurge or maxUnavailable of 1' },
    ],
  ]
  return found.flatMap(([keyPath, fault]) => (fault === undefined ? [] : [[keyPath, fault] as const]))
}

function sourceFault({ url, plugin }: MetricPlan): RolloutFault | undefined {
  if ((url === undefined) === (plugin === undefined))
    return { message: 'a metric is told by a URL or by a plugin', expected: 'one of them' }
  return url === undefined ? undefined : urlFault(String(url))
}

/** The place of a step is its number here. */
function named(fault: ReturnType<typeof stepsFault>): RolloutFault | undefined {
  if (fault === undefined) return undefined
  const { at, ...words } = fault
  return at === undefined ? words : { ...words, message: `step ${at + 1}: ${words.message}` }
}

const YEAR_MS = 366 * 86_400_000

function numbersOf({ judge, ...plan }: RolloutPlan): readonly Found[] {
  const within = (at: string, number: number, min: number, max: number): Found => [
    at,
    Number.isFinite(number) && number >= min && number <= max
      ? undefined
      : { message: `cannot be ${String(number)}`, expected: `${min} to ${max}` },
  ]
  return [
    within('holdMs', plan.holdMs, 0, YEAR_MS),
    within('keepOldMs', plan.keepOldMs, 0, YEAR_MS),
    within('progressMs', plan.progressMs, 1, YEAR_MS),
    within('maxSurge', plan.maxSurge, 0, 1024),
    within('maxUnavailable', plan.maxUnavailable, 0, 1024),
    ...(['errorRate', 'emptyOutputs', 'repeatedOutputs', 'malformedOutputs'] as const).map((key) =>
      within(`judge.${key}`, judge[key], 0, 1),
    ),
    ...(['ttftRatio', 'tpotRatio'] as const).map((key) => within(`judge.${key}`, judge[key], 1, 1000)),
    within('judge.lengthRatio', judge.lengthRatio ?? 1, 1, 1000),
    within('judge.minSamples', judge.minSamples, 1, 1_000_000),
    within('judge.falseAlarmRate', judge.falseAlarmRate, 1e-6, 0.5),
  ]
}

function fileFault(file: string): RolloutFault | undefined {
  if (!isAbsolute(file)) return { message: `\`${file}\` is not absolute`, expected: 'an absolute path' }
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? undefined : { message: `there is no file ${file}` }
}
