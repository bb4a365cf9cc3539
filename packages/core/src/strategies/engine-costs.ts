import type { JsonSchema } from '../contracts/index.js'
import { numberSetting } from './settings.js'

/**
 * How long one step of an engine takes, in ms: base + prefillToken x prompt tokens computed + sequence x answers going on + kvToken x tokens that those
 * read + attendedPair x (prompt tokens computed x tokens before each of them).
 */
export interface EngineCosts {
  readonly baseMs: number
  readonly prefillTokenMs: number
  readonly sequenceMs: number
  readonly kvTokenMs: number
  readonly attendedPairMs: number
}

/** Sizes of model on kinds of GPU. A constant that is wrong by a factor of two hardly changes who is chosen. */
export const costProfiles = {
  '8b-a100': { baseMs: 10.5, prefillTokenMs: 0.068, sequenceMs: 0.03, kvTokenMs: 8.2e-5, attendedPairMs: 2.9e-6 },
  '8b-h100': { baseMs: 7, prefillTokenMs: 0.026, sequenceMs: 0.02, kvTokenMs: 4.9e-5, attendedPairMs: 1.2e-6 },
  '3b-a10g': { baseMs: 13, prefillTokenMs: 0.1, sequenceMs: 0.05, kvTokenMs: 7.7e-5, attendedPairMs: 4e-6 },
} satisfies Record<string, EngineCosts>

export type CostProfile = keyof typeof costProfiles

/** Settings from which the costs are made: a profile, and numbers that replace its own. */
export type EngineCostSettings = Partial<EngineCosts> & { readonly profile?: CostProfile }

export function engineCosts({ profile = '8b-a100', ...own }: EngineCostSettings): EngineCosts {
  const { baseMs, prefillTokenMs, sequenceMs, kvTokenMs, attendedPairMs } = { ...costProfiles[profile], ...own }
  return { baseMs, prefillTokenMs, sequenceMs, kvTokenMs, attendedPairMs }
}

const replaces = "Replaces the profile's."

export const engineCostProperties: Readonly<Record<string, JsonSchema>> = {
  profile: {
    enum: Object.keys(costProfiles),
    default: '8b-a100' satisfies CostProfile,
    description:
      "The size of model and kind of GPU that is nearest to the nodes'. What counts is the ratio of its numbers: half or double changes little.",
  },
  baseMs: numberSetting({ from: 0, to: 10_000 }, `Time of a step that does nothing, in ms. ${replaces}`),
  prefillTokenMs: numberSetting({ from: 0, to: 1000 }, `Time to compute one token of a prompt, in ms. ${replaces}`),
  sequenceMs: numberSetting({ from: 0, to: 1000 }, `Time that one answer adds to a step, in ms. ${replaces}`),
  kvTokenMs: numberSetting({ from: 0, to: 10 }, `Time that one token in the memory of the answers adds to a step, in ms. ${replaces}`),
  attendedPairMs: numberSetting({ from: 0, to: 1 }, `Time that one token before a token of a prompt adds, in ms. ${replaces}`),
}
