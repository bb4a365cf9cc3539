import type { JsonSchema, RandomSource } from '@plimsoll/core/routing'

export type Settings = Readonly<Record<string, unknown>>

/** One setting that may be changed. */
interface Knob {
  readonly key: string
  readonly usual: unknown
  /** Another value near this one. */
  readonly step: (from: unknown, random: RandomSource) => unknown
}

export interface SearchSpace {
  /** Names of what is searched. */
  readonly keys: readonly string[]
  /** The settings with one or two of them changed. */
  readonly near: (settings: Settings, random: RandomSource) => Settings
}

/** Facts about machines: known, not chosen. */
const FACTS: ReadonlySet<string> = new Set(['profile', 'kvTokens', 'maxSeqs', 'maxBatchedTokens'])
const SECOND_KNOB = 0.4
/** Of the logarithm of a value that may grow without a natural end. */
const LOG_STEP = 0.6
/** Of the range of a ratio. */
const RATIO_STEP = 0.25
const DIGITS = 3

/** What a strategy's schema says can be set, with a default to start from; `only` names the settings that are wanted. */
export function searchSpace(schema: JsonSchema, only?: readonly string[]): SearchSpace {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>
  const knobs = Object.entries(properties)
    .filter(([key]) => only?.includes(key) ?? !FACTS.has(key))
    .flatMap(([key, property]) => knobOf(key, property) ?? [])
  return {
    keys: knobs.map(({ key }) => key),
    near(settings, random) {
      const first = pick(knobs, random)
      const second = random.next() < SECOND_KNOB ? pick(knobs, random) : undefined
      const changed = [first, second].flatMap((knob) =>
        knob === undefined ? [] : [[knob.key, knob.step(settings[knob.key] ?? knob.usual, random)] as const],
      )
      return { ...settings, ...Object.fromEntries(changed) }
    },
  }
}

function knobOf(key: string, property: JsonSchema): Knob | undefined {
  const { type, minimum, maximum, default: usual, enum: allowed } = property
  if (Array.isArray(allowed) && allowed.length > 1 && usual !== undefined) return { key, usual, step: (_, random) => pick(allowed, random) }
  if (type === 'boolean' && usual !== undefined) return { key, usual, step: (from) => from !== true }
  const isNumber = (type === 'number' || type === 'integer') && typeof usual === 'number'
  if (!isNumber || typeof minimum !== 'number' || typeof maximum !== 'number') return undefined
  const range = { minimum, maximum, whole: type === 'integer' }
  return { key, usual, step: (from, random) => stepNumber(typeof from === 'number' ? from : usual, range, random) }
}

interface Range {
  readonly minimum: number
  readonly maximum: number
  readonly whole: boolean
}

/** Ratios move by parts of their range; everything else by factors, and from 0 to something small. */
function stepNumber(from: number, { minimum, maximum, whole }: Range, random: RandomSource): number {
  const turn = 2 * random.next() - 1
  const isRatio = maximum - minimum <= 1
  const next = isRatio ? from + 2 * RATIO_STEP * (maximum - minimum) * turn : (from === 0 ? 0.1 : from) * Math.exp(2 * LOG_STEP * turn)
  const kept = Number(Math.min(maximum, Math.max(minimum, next)).toPrecision(DIGITS))
  return whole ? Math.round(kept) : kept
}

function pick<Value>(values: readonly Value[], random: RandomSource): Value | undefined {
  return values[Math.floor(random.next() * values.length)]
}
