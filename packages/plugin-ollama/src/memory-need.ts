import type { MemoryNeed } from '@plimsoll/core/plugin'
import { weightBytes } from './models-on-disk.js'
import { defaults, type OllamaSettings } from './settings.js'

const mebibyte = 1024 ** 2
/** Context and work space, as a share of the weights, for as many tokens as below. Its true size depends on the model's layers, which only Ollama reads. */
const contextShare = 0.2
/** What Ollama takes for each request on a small card unless told. */
export const usualContextTokens = 4096
const overheadMib = 512
/** Bytes of a number in the KV cache, as a part of those of f16. */
const kvPart = { f16: 1, q8_0: 34 / 64, q4_0: 18 / 64 }

/** What of the settings decides on memory. */
export type MemorySettings = Pick<OllamaSettings, 'parallel' | 'contextTokens' | 'kvCacheType' | 'flashAttention'>

/** From the sizes of what is pulled; undefined before that. Ollama itself puts on the processor what does not fit. */
export function memoryNeed(folder: string, models: readonly string[], settings: MemorySettings = defaults): MemoryNeed | undefined {
  const weightsMib = weightsOf(folder, models)
  return weightsMib === undefined ? undefined : needWith(weightsMib, settings)
}

/** MiB of all of them; undefined where one is not there. */
export function weightsOf(folder: string, models: readonly string[]): number | undefined {
  const sizes = models.map((model) => weightBytes(folder, model))
  if (sizes.length === 0 || sizes.some((size) => size === undefined)) return undefined
  return sizes.reduce<number>((sum, size = 0) => sum + size, 0) / mebibyte
}

/** What weights take with these settings. */
export function needWith(weightsMib: number, settings: MemorySettings): MemoryNeed {
  const { parallel, contextTokens = usualContextTokens } = settings
  const tokens = parallel * contextTokens
  const contextMib = (weightsMib * contextShare * tokens * kvPart[kvTypeOf(settings)]) / (defaults.parallel * usualContextTokens)
  const why = `weights ${gibibytes(weightsMib)} + ${gibibytes(contextMib)} for ${parallel} × ${contextTokens} tokens, guessed from the weights + 0.5 GiB; what does not fit runs on the processor`
  return { mib: Math.ceil(weightsMib + contextMib + overheadMib), why }
}

/** Without flash attention Ollama falls back to f16. */
export function kvTypeOf({ kvCacheType = 'f16', flashAttention }: MemorySettings): keyof typeof kvPart {
  return flashAttention === false ? 'f16' : kvCacheType
}

function gibibytes(mib: number): string {
  return `${(mib / 1024).toFixed(1)} GiB`
}
