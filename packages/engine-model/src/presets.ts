import type { StepCosts } from './step-time.js'

/** A model on a machine. */
export interface EnginePreset extends StepCosts {
  /** Tokens that fit into the KV cache. */
  readonly kvTokens: number
  readonly maxNumSeqs: number
  readonly maxNumBatchedTokens: number
}

const serverBatch = { maxNumSeqs: 256, maxNumBatchedTokens: 2048 } as const

/**
 * The first three rows are the table of `design/routing.md` (a and b of the 8B rows checked against Vidur's kernel profiles, the rest derived).
 * `laptop-3b` is derived, not measured: a 3B model in 4 bits (2 GB of weights, 37 kB of KV a token) on 80 GB/s of memory and 3 TFLOPS,
 * with the four slots that llama-server opens by default. `instant` is no machine at all: a step costs 20 microseconds whatever it holds.
 */
export const enginePresets = {
  '8b-a100': {
    baseMs: 10.5,
    prefillTokenMs: 0.068,
    decodeSequenceMs: 0.03,
    kvTokenMs: 8.2e-5,
    attentionPairMs: 2.9e-6,
    kvTokens: 412_000,
    ...serverBatch,
  },
  '8b-h100': {
    baseMs: 7,
    prefillTokenMs: 0.026,
    decodeSequenceMs: 0.02,
    kvTokenMs: 4.9e-5,
    attentionPairMs: 1.2e-6,
    kvTokens: 412_000,
    ...serverBatch,
  },
  '3b-a10g': {
    baseMs: 13,
    prefillTokenMs: 0.1,
    decodeSequenceMs: 0.05,
    kvTokenMs: 7.7e-5,
    attentionPairMs: 4e-6,
    kvTokens: 368_000,
    ...serverBatch,
  },
  'laptop-3b': {
    baseMs: 30,
    prefillTokenMs: 2,
    decodeSequenceMs: 1,
    kvTokenMs: 5.8e-4,
    attentionPairMs: 1e-4,
    kvTokens: 32_768,
    maxNumSeqs: 4,
    maxNumBatchedTokens: 512,
  },
  instant: {
    baseMs: 0.02,
    prefillTokenMs: 0,
    decodeSequenceMs: 0,
    kvTokenMs: 0,
    attentionPairMs: 0,
    kvTokens: 412_000,
    ...serverBatch,
  },
} as const satisfies Record<string, EnginePreset>

export type PresetName = keyof typeof enginePresets

export const presetNames = Object.keys(enginePresets) as readonly PresetName[]
