import type { JsonSchema } from '../../contracts/index.js'
import { numberSetting } from '../settings.js'
import type { PredictorOptions } from './latency-predictor.js'

export interface PredictorSettings {
  readonly forgetting?: number
  readonly minSamples?: number
  readonly maxError?: number
}

const FORGETTING = 0.002
const MIN_SAMPLES = 30
const MAX_ERROR = 0.5

export const predictorSettings: Readonly<Record<string, JsonSchema>> = {
  forgetting: numberSetting(
    { from: 0, to: 0.2, or: FORGETTING },
    'How much of what was learned each new answer of a node replaces: 0.002 remembers some 500 answers.',
  ),
  minSamples: numberSetting(
    { from: 10, to: 100_000, or: MIN_SAMPLES },
    'Answers from which on a prediction is made, and checks from which on it is followed.',
  ),
  maxError: numberSetting(
    { from: 0, to: 10, or: MAX_ERROR },
    'Mean relative error of the predicted time to the first token over which `lmetric` decides instead: 0.5 is 50 %.',
  ),
}

export function predictorOptions({
  forgetting = FORGETTING,
  minSamples = MIN_SAMPLES,
  maxError = MAX_ERROR,
}: PredictorSettings): PredictorOptions {
  return { kept: 1 - forgetting, minSamples, maxError }
}
