import { presetNames, type PresetName } from '@plimsoll/engine-model'
import { faultPattern } from './server/fault.js'

/** `launch.args` of a simulated node, after defaults. */
export interface SimSettings {
  readonly profile: PresetName
  readonly seed: number
  readonly loadMs: number
  readonly contextTokens: number
  readonly slowness: number
  readonly fault?: string
  readonly maxNumSeqs?: number
  readonly maxNumBatchedTokens?: number
  readonly kvTokens?: number
  readonly wakeMs?: number
  readonly memoryFolder?: string
  readonly memoryMib?: number
}

export const simDefaults = { profile: 'instant', seed: 0, loadMs: 0, contextTokens: 32_768, slowness: 1 } as const satisfies SimSettings

const count = (description: string) => ({ type: 'integer', minimum: 1, description })

/** JSON Schema of `launch.args`; one property, one flag of `lb-sim-engine`. */
export const simSettingsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    profile: { enum: [...presetNames], default: simDefaults.profile, description: 'Model and machine that the node pretends to be.' },
    seed: {
      type: 'integer',
      minimum: 0,
      default: simDefaults.seed,
      description: 'Nodes with one seed give one answer to one conversation.',
    },
    loadMs: {
      type: 'integer',
      minimum: 0,
      maximum: 3_600_000,
      default: simDefaults.loadMs,
      description: 'How long loading the model takes.',
    },
    contextTokens: { ...count('Longest prompt and answer together.'), default: simDefaults.contextTokens },
    slowness: {
      type: 'number',
      exclusiveMinimum: 0,
      default: simDefaults.slowness,
      description: 'Every step takes this many times longer.',
    },
    fault: { type: 'string', pattern: faultPattern, description: 'A fault from the start: see the README of @plimsoll/plugin-sim.' },
    maxNumSeqs: count('Requests that run at once; the profile’s own by default.'),
    maxNumBatchedTokens: count('Token budget of one step; the profile’s own by default.'),
    kvTokens: { ...count('Tokens that fit into the KV cache; the profile’s own by default.'), minimum: 16 },
    wakeMs: {
      type: 'integer',
      minimum: 0,
      maximum: 3_600_000,
      description: 'It can sleep, and waking takes so long. Absent: it cannot sleep.',
    },
    memoryFolder: {
      type: 'string',
      minLength: 1,
      description: 'Absolute folder of a simulated GPU: see the README of @plimsoll/plugin-sim.',
    },
    memoryMib: count('What it takes of that GPU while it is awake, in MiB.'),
  },
} as const
