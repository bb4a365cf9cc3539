import { enginePresets, type EnginePreset, type PresetName } from './presets.js'

/** A preset, any of its values replaced. */
export interface EngineModelOptions extends Partial<EnginePreset> {
  /** Default `8b-h100`. */
  readonly preset?: PresetName
  /** Tokens in one KV block; default 16. */
  readonly blockTokens?: number
  /** f: every step takes this many times longer; default 1. */
  readonly slowness?: number
}

export interface EngineSettings extends EnginePreset {
  readonly blockTokens: number
  readonly slowness: number
  readonly totalBlocks: number
}

/** Throws RangeError for an engine that could hold nothing, or take no step. */
export function settleOptions(options: EngineModelOptions): EngineSettings {
  const preset: EnginePreset = { ...enginePresets[options.preset ?? '8b-h100'], ...definedOnly(options) }
  const { blockTokens = 16, slowness = 1 } = options
  const totalBlocks = Math.floor(preset.kvTokens / blockTokens)
  const { maxNumBatchedTokens, maxNumSeqs } = preset
  for (const [name, value] of Object.entries({ maxNumBatchedTokens, maxNumSeqs, blockTokens, totalBlocks }))
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number over 0, not ${value}`)
  return { ...preset, kvTokens: totalBlocks * blockTokens, blockTokens, slowness: checkSlowness(slowness), totalBlocks }
}

export function checkSlowness(slowness: number): number {
  if (slowness > 0 && slowness < Infinity) return slowness
  throw new RangeError(`slowness must be a number over 0, not ${slowness}`)
}

/** Throws RangeError for what would wait for ever, or what no engine takes. */
export function checkSize(
  { promptTokens, outputTokens }: { readonly promptTokens: number; readonly outputTokens: number },
  kvTokens: number,
): void {
  if (!Number.isInteger(promptTokens) || promptTokens < 1) throw new RangeError(`a prompt has at least 1 token, not ${promptTokens}`)
  if (!Number.isInteger(outputTokens) || outputTokens < 0) throw new RangeError(`an answer has 0 tokens or more, not ${outputTokens}`)
  const tokens = promptTokens + outputTokens
  if (tokens > kvTokens) throw new RangeError(`${tokens} tokens do not fit into a KV cache of ${kvTokens}`)
}

/** An explicit undefined must not wipe out the preset's value. */
function definedOnly(options: EngineModelOptions): Partial<EnginePreset> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
