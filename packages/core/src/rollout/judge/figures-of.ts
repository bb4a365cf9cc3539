import type { JudgePlan } from '../../topology/index.js'
import type { Figure } from './figure.js'
import type { JudgeSample } from './judge-sample.js'
import type { Measure } from './matched-sets.js'
import { RateFigure } from './rate-figure.js'
import { RatioFigure } from './ratio-figure.js'

/** How the chance of a false alarm is parted: most to what matters most and needs most samples. Adds up to 1. */
const parts = { errors: 0.38, refused: 0.05, ttft: 0.22, tpot: 0.1, empty: 0.08, repeated: 0.08, malformed: 0.05, length: 0.04 } as const

/** Prompts that are alike: by a fifth, once the work that every request takes is counted as so many tokens. */
const alike = { caliper: Math.log(1.2), baseTokens: 128 } as const

/** Like no logarithm of a prompt. */
const streams = -100

/** What samples are compared by, as the plan says. */
export function figuresOf(plan: JudgePlan): readonly Figure[] {
  const alpha = (name: keyof typeof parts) => parts[name] * plan.falseAlarmRate
  const rate = (
    name: 'errors' | 'refused' | 'empty' | 'repeated' | 'malformed',
    verb: string,
    margin: number,
    isHit: (sample: JudgeSample) => boolean | undefined,
  ) => new RateFigure({ name, verb, margin, alpha: alpha(name), isHit })
  const ratio = (name: 'ttft' | 'tpot', most: number, caliper: number, measure: (sample: JudgeSample) => Measure | null) =>
    new RatioFigure({ name, unit: 'ms', ratio: most, alpha: alpha(name), caliper, measure })
  return [
    rate('errors', 'failed', plan.errorRate, ({ failed, refused }) => (refused ? undefined : failed)),
    rate('refused', 'were refused as wrong', plan.errorRate, ({ failed, refused }) => (failed ? undefined : refused)),
    ratio('ttft', plan.ttftRatio, alike.caliper, firstToken),
    ratio('tpot', plan.tpotRatio, alike.caliper, pace),
    rate('empty', 'were empty', plan.emptyOutputs, ({ quality }) => quality?.isEmpty),
    rate('repeated', 'said the same over and over', plan.repeatedOutputs, ({ quality }) => quality?.isRepeating),
    rate('malformed', 'could not be read', plan.malformedOutputs, ({ quality }) => quality?.isMalformed),
    ...(plan.lengthRatio === undefined ? [] : [lengthFigure(plan.lengthRatio, alpha('length'))]),
  ]
}

function lengthFigure(ratio: number, alpha: number): Figure {
  return new RatioFigure({
    name: 'length',
    unit: 'tokens',
    ratio,
    bothWays: true,
    alpha,
    caliper: 0,
    measure: ({ completionTokens }) => plain(completionTokens),
  })
}

function plain(value: number | null): Measure | null {
  return value === null ? null : { value, size: 0 }
}

/** A new revision begins with an empty cache: only requests with as many tokens to compute are compared. */
function firstToken({ ttftMs, computedTokens }: JudgeSample): Measure | null {
  if (ttftMs === null || computedTokens === null) return null
  return { value: ttftMs, size: Math.log(alike.baseTokens + computedTokens) }
}

/** Answers in one piece are compared among themselves: their pace has the time for the prompt in it. */
function pace({ tpotMs, wholeMs, computedTokens, completionTokens }: JudgeSample): Measure | null {
  if (tpotMs !== null) return { value: tpotMs, size: streams }
  if (wholeMs === null || computedTokens === null || completionTokens === null) return null
  return { value: wholeMs / completionTokens, size: Math.log(alike.baseTokens + computedTokens) }
}
