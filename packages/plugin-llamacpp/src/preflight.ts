import type { NodeSpec, PluginHost, PreflightFinding } from '@plimsoll/core/plugin'
import { checkFile, checkFolder, checkModelFile } from './check-files.js'
import { checkRepository } from './check-repository.js'
import type { LlamacppSettings } from './settings.js'
import { parseWeights } from './weights.js'

/** What would stop the launch, seen without starting anything. */
export async function preflight(
  { weights: text, settings, environment }: NodeSpec<LlamacppSettings>,
  host: PluginHost,
  signal: AbortSignal,
): Promise<readonly PreflightFinding[]> {
  const weights = parseWeights(text)
  const { loras = [], mmproj, chatTemplateFile, slotSavePath, router } = settings
  const files = [...loras.map(({ path }) => path), mmproj, chatTemplateFile, router?.modelsPreset]
  const folders = [slotSavePath, router?.modelsDir]
  const found = await Promise.all([
    ...(weights.kind === 'file' ? [checkModelFile(weights.path, signal)] : []),
    ...(weights.kind === 'hugging-face'
      ? [checkRepository({ ...weights, env: environment?.() ?? {}, offline: settings.offline === true }, host, signal)]
      : []),
    ...files.flatMap((path) => (path === undefined ? [] : [checkFile(path)])),
    ...folders.flatMap((path) => (path === undefined ? [] : [checkFolder(path)])),
  ])
  return [...found.flat(), ...modeFindings(settings, weights.kind === 'none'), ...cacheFindings(settings)]
}

/** llama-server ends without a word then (b10568). */
function cacheFindings({ kvTypeV = 'f16', flashAttention }: LlamacppSettings): readonly PreflightFinding[] {
  if (flashAttention !== 'off' || ['f32', 'f16', 'bf16'].includes(kvTypeV)) return []
  return [
    {
      kind: 'bad-settings',
      severity: 'error',
      message: `kvTypeV: ${kvTypeV} needs flash attention, which is off`,
      hint: 'flashAttention: on or auto, or kvTypeV: f16',
    },
  ]
}

function modeFindings({ router }: LlamacppSettings, isRouter: boolean): readonly PreflightFinding[] {
  if (isRouter && router === undefined)
    return [
      {
        kind: 'bad-settings',
        severity: 'warning',
        message: 'there is no launch.model: llama-server starts as a router over the models in its cache',
        hint: 'model: /path/to/model.gguf or hf:org/repo:quant; args.router where a router is meant',
      },
    ]
  if (isRouter || router === undefined) return []
  return [
    {
      kind: 'bad-settings',
      severity: 'error',
      message: 'launch.model and args.router do not go together',
      hint: 'a router takes its models from router.modelsDir or router.modelsPreset; leave launch.model out',
    },
  ]
}
