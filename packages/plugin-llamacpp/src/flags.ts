import type { Gpu } from '@plimsoll/core/plugin'
import type { LlamacppSettings, RouterSettings } from './settings.js'

/** Settings with one value; the value is a part of its own, for llama-server knows no `--flag=value`. */
const valueFlags = [
  ['contextTokens', '-c'],
  ['slots', '-np'],
  ['flashAttention', '-fa'],
  ['kvTypeK', '-ctk'],
  ['kvTypeV', '-ctv'],
  ['batchTokens', '-b'],
  ['microBatchTokens', '-ub'],
  ['threads', '-t'],
  ['cacheReuse', '--cache-reuse'],
  ['cacheRamMiB', '--cache-ram'],
  ['slotSavePath', '--slot-save-path'],
  ['slotPromptSimilarity', '-sps'],
  ['pooling', '--pooling'],
  ['mmproj', '--mmproj'],
  ['chatTemplate', '--chat-template'],
  ['chatTemplateFile', '--chat-template-file'],
  ['sleepIdle', '--sleep-idle-seconds'],
] as const satisfies readonly (readonly [keyof LlamacppSettings, string])[]

/** Settings that are on, off, or not said. Before the values: a template's text is taken only after `--jinja`. */
const switchFlags = [
  ['metrics', '--metrics', undefined],
  ['jinja', '--jinja', '--no-jinja'],
  ['unifiedKv', '-kvu', '-no-kvu'],
  ['embeddings', '--embeddings', undefined],
  ['rerank', '--rerank', undefined],
  ['offline', '--offline', undefined],
] as const satisfies readonly (readonly [keyof LlamacppSettings, string, string | undefined])[]

/** The command line that settings stand for. */
export function settingFlags(settings: LlamacppSettings, gpus: readonly Gpu[] | undefined): string[] {
  return [
    ...switchFlags.flatMap(([name, on, off]) => switched(settings[name], on, off)),
    ...valueFlags.flatMap(([name, flag]) => valued(flag, settings[name])),
    ...gpuFlags(settings, gpus),
    ...loraFlags(settings),
    ...(settings.router === undefined ? [] : routerFlags(settings.router)),
    ...(settings.extraArgs ?? []),
  ]
}

function switched(value: boolean | undefined, on: string, off: string | undefined): string[] {
  if (value === undefined) return []
  return value ? [on] : off === undefined ? [] : [off]
}

function valued(flag: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [flag, String(value)]
}

/** Core hides the GPUs that are not this node's; what is named here counts among the rest. A node without any must say so itself where nothing can be hidden. */
function gpuFlags(settings: LlamacppSettings, gpus: readonly Gpu[] | undefined): string[] {
  if (gpus?.length === 0) return ['-dev', 'none']
  return [
    ...valued('-ngl', settings.gpuLayers),
    ...valued('-sm', settings.splitMode),
    ...valued('-ts', settings.tensorSplit?.join(',')),
    ...valued('-mg', settings.mainGpu),
  ]
}

function loraFlags({ loras = [] }: LlamacppSettings): string[] {
  return loras.length === 0 ? [] : ['--lora-scaled', loras.map(({ path, scale }) => `${path}:${scale}`).join(',')]
}

function routerFlags({ modelsDir, modelsPreset, maxModels, autoload }: RouterSettings): string[] {
  return [
    ...valued('--models-dir', modelsDir),
    ...valued('--models-preset', modelsPreset),
    ...valued('--models-max', maxModels),
    ...(autoload ? [] : ['--no-models-autoload']),
  ]
}
