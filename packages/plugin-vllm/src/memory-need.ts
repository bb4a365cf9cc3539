import { join } from 'node:path'
import type { MemoryNeed, NodeSpec } from '@plimsoll/core/plugin'
import { hubSettings } from './hub-settings.js'
import { type ModelFigures, modelFigures } from './model-figures.js'
import { folderOf, modelSource, readJsonFile } from './model-source.js'
import type { VllmSettings } from './settings.js'
import { weightFiles } from './weight-files.js'

const MIB = 1024 ** 2
/** CUDA context, activations of the largest step and, unless eager, the captured graphs: of each GPU, from start logs of 8B to 32B models. */
const OVERHEAD_MIB = { eager: 1024, graphs: 2048 }
/** vLLM's own default since 2026-04. */
export const USUAL_UTILIZATION = 0.92

/** What of a model's files decides on memory. */
export interface ModelOnDisk {
  readonly figures: ModelFigures
  readonly weightBytes: number
}

/**
 * The least with which it starts: weights, the KV cache of one request of full length, and what each GPU holds beside. Read from the model's own files;
 * undefined where they are not here yet. vLLM then takes its share of the card whatever it needs, and the rest is more KV cache.
 */
export function memoryNeed(spec: NodeSpec<VllmSettings>): MemoryNeed | undefined {
  const model = modelOnDisk(spec)
  return model === undefined ? undefined : needWith(model, spec.settings)
}

export function modelOnDisk(spec: NodeSpec<VllmSettings>): ModelOnDisk | undefined {
  const { settings, weights } = spec
  if (weights === undefined) return undefined
  const folder = folderOf(modelSource(weights, settings.revision, hubSettings(environmentOf(spec))))
  const config = folder === undefined ? undefined : readJsonFile(join(folder, 'config.json'))
  const files = folder === undefined ? undefined : weightFiles(folder)
  if (config === undefined || files === undefined || files.missing.length > 0) return undefined
  return { figures: modelFigures(config), weightBytes: files.bytes }
}

/** What a model takes with these settings. */
export function needWith({ figures: model, weightBytes }: ModelOnDisk, settings: VllmSettings): MemoryNeed {
  const { tensorParallel = 1, pipelineParallel = 1, dataParallel = 1 } = settings
  const ranks = tensorParallel * pipelineParallel * dataParallel
  const weightsMib = (weightBytes / MIB) * shrinking(settings, model) * dataParallel
  const kv = kvNeed(settings, model)
  const kvMib = kv === undefined ? 0 : kv.perRank ? kv.mib * ranks : kv.mib * dataParallel
  const overheadMib = (settings.enforceEager === true ? OVERHEAD_MIB.eager : OVERHEAD_MIB.graphs) * ranks
  const mib = Math.ceil(weightsMib + kvMib + overheadMib)
  const share = settings.gpuMemoryUtilization ?? USUAL_UTILIZATION
  return {
    mib,
    why: `weights ${gib(weightsMib)} GiB + ${kv === undefined ? 'KV unknown' : `KV ${gib(kvMib)} GiB ${kv.why}`} + ${gib(overheadMib)} GiB; it takes ${Math.round(share * 100)} % of each card all the same`,
  }
}

/** A missing secret is the launch's to report. */
function environmentOf({ environment }: NodeSpec<VllmSettings>): Readonly<Record<string, string | undefined>> {
  try {
    return environment?.() ?? process.env
  } catch {
    return process.env
  }
}

/** Quantising while loading makes the weights smaller than their files; files that are quantised already stay as they are. */
function shrinking({ quantization }: VllmSettings, { isQuantised }: ModelFigures): number {
  if (quantization === undefined || isQuantised) return 1
  if (quantization === 'bitsandbytes') return 0.3
  return quantization.includes('fp8') ? 0.55 : 1
}

interface KvNeed {
  readonly mib: number
  readonly why: string
  /** Said for each GPU, not for all together. */
  readonly perRank: boolean
}

function kvNeed(settings: VllmSettings, model: ModelFigures): KvNeed | undefined {
  if (settings.kvCacheMemoryBytes !== undefined)
    return { mib: settings.kvCacheMemoryBytes / MIB, why: 'of kvCacheMemoryBytes', perRank: true }
  const tokens = settings.maxModelLen ?? model.contextTokens
  const values = valuesPerToken(model)
  if (tokens === undefined || values === undefined) return undefined
  const bytes = settings.kvCacheDtype?.startsWith('fp8') === true ? 1 : 2
  return { mib: (values * bytes * tokens) / MIB, why: `at ${tokens} tokens`, perRank: false }
}

/** Keys and values of all layers; latent attention keeps one vector for both. Sliding windows are counted in full. */
function valuesPerToken({ layers, kvHeads, headSize, latent }: ModelFigures): number | undefined {
  if (layers === undefined) return undefined
  if (latent !== undefined) return layers * latent
  return kvHeads === undefined || headSize === undefined ? undefined : layers * 2 * kvHeads * headSize
}

function gib(mib: number): string {
  return (mib / 1024).toFixed(1)
}
