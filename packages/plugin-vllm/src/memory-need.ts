import { join } from 'node:path'
import type { MemoryNeed, NodeSpec } from '@plimsoll/core/plugin'
import { hubSettings } from './hub-settings.js'
import { folderOf, modelSource, readJsonFile } from './model-source.js'
import type { VllmSettings } from './settings.js'
import { weightFiles } from './weight-files.js'

const MIB = 1024 ** 2
/** CUDA context, activations of the largest step and, unless eager, the captured graphs: of each GPU, from start logs of 8B to 32B models. */
const OVERHEAD_MIB = { eager: 1024, graphs: 2048 }
/** vLLM's own default since 2026-04. */
const USUAL_UTILIZATION = 0.92

/**
 * The least with which it starts: weights, the KV cache of one request of full length, and what each GPU holds beside. Read from the model's own files;
 * undefined where they are not here yet. vLLM then takes its share of the card whatever it needs, and the rest is more KV cache.
 */
export function memoryNeed(spec: NodeSpec<VllmSettings>): MemoryNeed | undefined {
  const { settings, weights } = spec
  if (weights === undefined) return undefined
  const folder = folderOf(modelSource(weights, settings.revision, hubSettings(environmentOf(spec))))
  const config = folder === undefined ? undefined : readJsonFile(join(folder, 'config.json'))
  const files = folder === undefined ? undefined : weightFiles(folder)
  if (config === undefined || files === undefined || files.missing.length > 0) return undefined
  const { tensorParallel = 1, pipelineParallel = 1, dataParallel = 1 } = settings
  const ranks = tensorParallel * pipelineParallel * dataParallel
  const weightsMib = (files.bytes / MIB) * shrinking(settings, config) * dataParallel
  const kv = kvNeed(settings, config)
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
function shrinking({ quantization }: VllmSettings, config: Readonly<Record<string, unknown>>): number {
  if (quantization === undefined || config['quantization_config'] !== undefined) return 1
  if (quantization === 'bitsandbytes') return 0.3
  return quantization.includes('fp8') ? 0.55 : 1
}

interface KvNeed {
  readonly mib: number
  readonly why: string
  /** Said for each GPU, not for all together. */
  readonly perRank: boolean
}

function kvNeed(settings: VllmSettings, whole: Readonly<Record<string, unknown>>): KvNeed | undefined {
  if (settings.kvCacheMemoryBytes !== undefined)
    return { mib: settings.kvCacheMemoryBytes / MIB, why: 'of kvCacheMemoryBytes', perRank: true }
  // Models with eyes keep the language model's figures one level down.
  const config = { ...whole, ...objectOf(whole['text_config']) }
  const tokens = settings.maxModelLen ?? numberOf(config['max_position_embeddings'])
  const values = valuesPerToken(config)
  if (tokens === undefined || values === undefined) return undefined
  const bytes = settings.kvCacheDtype?.startsWith('fp8') === true ? 1 : 2
  return { mib: (values * bytes * tokens) / MIB, why: `at ${tokens} tokens`, perRank: false }
}

/** Keys and values of all layers; latent attention (MLA) keeps one compressed vector for both. Sliding windows are counted in full. */
function valuesPerToken(config: Readonly<Record<string, unknown>>): number | undefined {
  const layers = numberOf(config['num_hidden_layers'])
  const heads = numberOf(config['num_attention_heads'])
  if (layers === undefined || heads === undefined) return undefined
  const rank = numberOf(config['kv_lora_rank'])
  if (rank !== undefined) return layers * (rank + (numberOf(config['qk_rope_head_dim']) ?? 0))
  const headSize = numberOf(config['head_dim']) ?? (numberOf(config['hidden_size']) ?? 0) / heads
  return layers * 2 * (numberOf(config['num_key_value_heads']) ?? heads) * headSize
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined
}

function gib(mib: number): string {
  return (mib / 1024).toFixed(1)
}
