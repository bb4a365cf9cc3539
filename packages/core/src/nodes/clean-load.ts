import type { LoadFacts } from '../contracts/index.js'

const NUMBERS = [
  'running',
  'waiting',
  'slots',
  'kvUsedRatio',
  'kvBlocks',
  'kvBlockTokens',
  'promptTokens',
  'cachedTokens',
  'contextTokens',
  'expertImbalance',
] as const satisfies readonly (keyof LoadFacts)[]
const LISTS = ['adapters', 'loadedModels'] as const satisfies readonly (keyof LoadFacts)[]
const MOST_NAMES = 1000

/** What a plugin told of its engine's load, without what cannot be true: numbers that are none, below 0, or ratios over 1. */
export function cleanLoad(told: unknown): LoadFacts {
  const facts = (typeof told === 'object' && told !== null ? told : {}) as Readonly<Record<string, unknown>>
  const numbers = NUMBERS.flatMap((name) => {
    const value = facts[name]
    const sane = typeof value === 'number' && Number.isFinite(value) && value >= 0 && (name !== 'kvUsedRatio' || value <= 1)
    return sane ? [[name, value] as const] : []
  })
  const lists = LISTS.flatMap((name) => {
    const value = facts[name]
    return Array.isArray(value) ? [[name, value.filter((each) => typeof each === 'string').slice(0, MOST_NAMES)] as const] : []
  })
  const asleep = typeof facts['asleep'] === 'boolean' ? [['asleep', facts['asleep']] as const] : []
  return Object.fromEntries([...numbers, ...lists, ...asleep]) as LoadFacts
}
