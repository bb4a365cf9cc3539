import type { JsonSchema } from '../../contracts/index.js'
import { numberSetting } from '../settings.js'
import type { PredictorOptions } from './latency-predictor.js'

export interface PredictorSettings {
  readonly drift?: number
  readonly minSamples?: number
  readonly maxError?: number
}

const DRIFT = 0.01
const MIN_SAMPLES = 50
const MAX_ERROR = 0.5

export const predictorSettings: Readonly<Record<string, JsonSchema>> = {
  drift: numberSetting(
    { from: 0, to: 1, or: DRIFT },
    'How quickly what was learned may change: 0.01 lets each cost of a node wander by 1 % from one answer to the next.',
  ),
  minSamples: numberSetting(
    { from: 10, to: 100_000, or: MIN_SAMPLES },
    'Answers of all nodes from which on there are predictions, and checks from which on they are followed.',
  ),
  maxError: numberSetting(
    { from: 0, to: 10, or: MAX_ERROR },
    'Mean relative error of the predicted time to the first token over which `lmetric` decides instead: 0.5 is 50 %.',
  ),
}

export function predictorOptions({ drift = DRIFT, minSamples = MIN_SAMPLES, maxError = MAX_ERROR }: PredictorSettings): PredictorOptions {
  return { drift, minSamples, maxError }
}
