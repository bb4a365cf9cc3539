import type { MemoryNeed } from '@plimsoll/core/plugin'
import { weightBytes } from './models-on-disk.js'

const mebibyte = 1024 ** 2
/** Context and work space, as a share of the weights. Its true size depends on the model's layers, which only Ollama reads. */
const contextShare = 0.2
const overheadMib = 512

/** From the sizes of what is pulled; undefined before that. Ollama itself puts on the processor what does not fit. */
export function memoryNeed(folder: string, models: readonly string[]): MemoryNeed | undefined {
  const sizes = models.map((model) => weightBytes(folder, model))
  if (sizes.length === 0 || sizes.some((size) => size === undefined)) return undefined
  const weightsMib = sizes.reduce<number>((sum, size = 0) => sum + size, 0) / mebibyte
  const why = `weights ${gibibytes(weightsMib)} + a fifth of that for context + 0.5 GiB; what does not fit runs on the processor`
  return { mib: Math.ceil(weightsMib * (1 + contextShare) + overheadMib), why }
}

function gibibytes(mib: number): string {
  return `${(mib / 1024).toFixed(1)} GiB`
}
