import { statSync } from 'node:fs'
import type { MemoryNeed, NodeSpec } from '@plimsoll/core/plugin'
import { readGgufFileSync } from './gguf-file.js'
import { type GgufHeader, numberOf } from './gguf-header.js'
import { kvBytes } from './gguf-types.js'
import { cachedFile } from './hub-cache.js'
import type { LlamacppSettings } from './settings.js'
import { splitFiles } from './split-files.js'
import { parseWeights, type Weights } from './weights.js'

const MIB = 1024 * 1024
/** Context of the driver, buffers that no formula names. */
const FIXED_MIB = 300
const DEFAULT_MICRO_BATCH = 512
/** What llama-server's `--fit` shrinks a context to that nobody asked for. */
const LEAST_FITTED_TOKENS = 4096

/** What of a model's file decides on memory. */
export interface ModelOnDisk {
  readonly header: GgufHeader
  /** Of all its parts, with projector and adapters. */
  readonly weightBytes: number
  readonly layers: number
}

/**
 * Weights, KV cache and compute buffers, from the header of the file. Undefined where nothing can be known: no file here, a router, a model that
 * is yet to be fetched. An estimate from above where layers keep less than the whole context (sliding windows).
 */
export function memoryNeed(spec: NodeSpec<LlamacppSettings>): MemoryNeed | undefined {
  const model = modelOnDisk(spec)
  return model === undefined ? undefined : needWith(model, spec.settings)
}

/** The same where all layers are in main memory. */
export function mainMemoryNeed(spec: NodeSpec<LlamacppSettings>): MemoryNeed | undefined {
  const model = modelOnDisk(spec)
  return model === undefined ? undefined : needWith(model, { ...spec.settings, gpuLayers: 'all' })
}

export function modelOnDisk({ weights, settings, environment }: NodeSpec<LlamacppSettings>): ModelOnDisk | undefined {
  try {
    const path = fileOf(parseWeights(weights), environment)
    if (path === undefined) return undefined
    const { header } = readGgufFileSync(path)
    return { header, weightBytes: weightBytes(path, settings), layers: numberOf(header.numbers.get('block_count')) ?? 0 }
  } catch {
    // What is wrong with the file, or with a secret of the environment, is told before the launch.
    return undefined
  }
}

function fileOf(weights: Weights, environment: NodeSpec['environment']): string | undefined {
  if (weights.kind === 'hugging-face') return cachedFile(weights, environment?.() ?? {})
  return weights.kind === 'file' ? weights.path : undefined
}

/** What a model takes with these settings. */
export function needWith({ header, weightBytes: weights, layers }: ModelOnDisk, settings: LlamacppSettings): MemoryNeed {
  const offloaded = typeof settings.gpuLayers === 'number' && layers > 0 ? Math.min(1, settings.gpuLayers / (layers + 1)) : 1
  const tokens = contextTokens(header, settings)
  const kv = tokens * kvBytesPerToken(header, layers, settings)
  const compute = (header.vocabulary ?? 0) * 4 * (settings.microBatchTokens ?? DEFAULT_MICRO_BATCH)
  const rest = FIXED_MIB + compute / MIB
  const fitted = settings.contextTokens === undefined ? ', the least that --fit leaves' : ''
  const share = offloaded === 1 ? '' : `, ${settings.gpuLayers} of ${layers + 1} layers`
  return {
    mib: Math.ceil((weights * offloaded + kv * offloaded) / MIB + rest),
    why: `weights ${gib(weights * offloaded)} + KV ${gib(kv * offloaded)} at ${tokens} tokens${fitted} + ${gib(rest * MIB)}${share}`,
  }
}

/** With a context of its own choice, llama-server takes the model's and gives up of it what does not fit. */
export function contextTokens({ numbers }: GgufHeader, settings: LlamacppSettings): number {
  if (settings.contextTokens !== undefined) return settings.contextTokens
  return Math.min(numberOf(numbers.get('context_length')) ?? LEAST_FITTED_TOKENS, LEAST_FITTED_TOKENS)
}

function kvBytesPerToken({ numbers }: GgufHeader, layers: number, { kvTypeK = 'f16', kvTypeV = 'f16' }: LlamacppSettings): number {
  const of = (key: string) => numberOf(numbers.get(key))
  // Multi-head latent attention keeps one compressed row for all heads, and no values.
  const latent = of('attention.kv_lora_rank')
  if (latent !== undefined) return layers * (latent + (of('rope.dimension_count') ?? 0)) * kvBytes[kvTypeK]
  const heads = of('attention.head_count') ?? 0
  const perHead = heads === 0 ? 0 : (of('embedding_length') ?? 0) / heads
  const kvHeads = numbers.get('attention.head_count_kv') ?? heads
  const headsOfAll = typeof kvHeads === 'number' ? kvHeads * layers : kvHeads.reduce((sum, count) => sum + Math.max(0, count), 0)
  const keys = (of('attention.key_length') ?? perHead) * kvBytes[kvTypeK]
  const values = (of('attention.value_length') ?? perHead) * kvBytes[kvTypeV]
  return headsOfAll * (keys + values)
}

function weightBytes(path: string, { mmproj, loras = [] }: LlamacppSettings): number {
  const files = [...splitFiles(path), ...(mmproj === undefined ? [] : [mmproj]), ...loras.map((lora) => lora.path)]
  return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`
}
