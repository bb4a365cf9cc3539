import type { PreflightFinding } from '@plimsoll/core/plugin'
import type { Parallelism } from './check-settings.js'
import type { ModelFigures } from './model-figures.js'
import type { VllmSettings } from './settings.js'

/** Whether the settings suit the model: how it is cut, its experts, its context. What its config.json does not say is not judged. */
export function modelFit(model: ModelFigures, settings: VllmSettings, gpus: Parallelism): PreflightFinding[] {
  return [...headFindings(model, gpus), ...expertFindings(model, settings, gpus), ...contextFindings(model, settings)]
}

function headFindings({ heads, layers }: ModelFigures, { tensor, pipeline }: Parallelism): PreflightFinding[] {
  return [
    ...(heads !== undefined && heads % tensor !== 0
      ? [
          fault(
            `${tensor} GPUs cannot share the model’s ${heads} attention heads evenly`,
            `set tensorParallel to a divisor of ${heads}, and pipelineParallel for the rest`,
          ),
        ]
      : []),
    ...(layers !== undefined && layers < pipeline
      ? [fault(`pipelineParallel ${pipeline} is more than the model’s ${layers} layers`, 'set it lower')]
      : []),
  ]
}

function expertFindings({ experts }: ModelFigures, settings: VllmSettings, { tensor, data }: Parallelism): PreflightFinding[] {
  if (settings.expertParallel !== true) return []
  // Architectures name their experts in many ways: not to find any is no proof.
  if (experts === undefined)
    return [fault('the model seems to have no experts', 'expertParallel and eplb are for mixtures of experts: leave them out', 'warning')]
  if (settings.eplb === undefined) return []
  const redundant = settings.eplb.redundantExperts ?? 0
  const ranks = tensor * data
  if ((experts + redundant) % ranks === 0) return []
  const fitting = ranks - (experts % ranks)
  return [
    fault(
      `${experts} experts and ${redundant} redundant ones do not come out even on ${ranks} GPUs, as eplb needs it`,
      `set eplb.redundantExperts: ${experts % ranks === 0 ? ranks : fitting}`,
    ),
  ]
}

function contextFindings({ contextTokens }: ModelFigures, { maxModelLen, extraArgs = [] }: VllmSettings): PreflightFinding[] {
  // A longer context by scaled positions is set up through vLLM's own overrides.
  const isScaled = extraArgs.some((arg) => arg.startsWith('--hf-overrides') || arg.startsWith('--rope-scaling'))
  if (maxModelLen === undefined || contextTokens === undefined || maxModelLen <= contextTokens || isScaled) return []
  return [
    fault(
      `maxModelLen ${maxModelLen} is more than the model was made for (${contextTokens})`,
      `set maxModelLen: ${contextTokens} or less`,
      'warning',
    ),
  ]
}

function fault(message: string, hint: string, severity: PreflightFinding['severity'] = 'error'): PreflightFinding {
  return { severity, kind: 'bad-settings', message, hint }
}
