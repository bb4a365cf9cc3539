import type { AnswerClass, CollectedShape, Dialect, Face, Handover } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { guardContinuation } from './guard-continuation.js'

const classes: ReadonlySet<unknown> = new Set<AnswerClass>(['ok', 'client', 'retry', 'cooldown', 'loading', 'death'])
const ends: ReadonlySet<unknown> = new Set(['complete', 'cut', 'error'])

/** Told once for each function of a dialect that fails. */
export type OnSlip = (what: string, why: string) => void

/**
 * A dialect runs in the middle of answers, where a throw would end the balancer with all its nodes. One that fails, or answers nonsense, is told of once;
 * from then on its answers are judged by their status, its streams count as cut, and nothing else is done to them.
 */
export function guardDialect(given: Dialect, onSlip: OnSlip): Dialect {
  const told = new Set<string>()
  const slipped = (what: string, why: string): void => {
    if (!told.has(what)) onSlip(what, why)
    told.add(what)
  }
  const safely = <Value>(what: string, ask: () => Value, otherwise: Value, isKnown: (value: unknown) => boolean): Value => {
    try {
      const value = ask()
      if (isKnown(value)) return value
      slipped(what, `it answered ${String(value).slice(0, 100)}`)
    } catch (error) {
      slipped(what, messageOf(error))
    }
    return otherwise
  }
  const isBoolean = (value: unknown): boolean => typeof value === 'boolean'
  const { isUnserved, collect } = given
  const guardedShape = (shape: CollectedShape): CollectedShape => ({
    ...shape,
    fits: (body) => safely('collect.fits', () => shape.fits(body), false, isBoolean),
  })
  const { handover, continuation, ...others } = given
  const isWhole = handover !== undefined && isHandover(handover)
  if (handover !== undefined && !isWhole) slipped('handover', 'it needs faces, the name of a field, and JSON to ask with')
  const goesOn = continuation === undefined ? undefined : guardContinuation(continuation, safely)
  if (continuation !== undefined && goesOn === undefined) slipped('continuation', 'it needs names of fields, and JSON to set them to')
  return {
    ...others,
    ...(goesOn === undefined ? {} : { continuation: goesOn }),
    ...(isWhole ? { handover } : {}),
    classify: (status, headers, bodyStart) =>
      safely(
        'classify',
        () => given.classify(status, headers, bodyStart),
        byStatus(status),
        (value) => classes.has(value),
      ),
    streamEnd: (tail) =>
      safely(
        'streamEnd',
        () => given.streamEnd(tail),
        'cut',
        (value) => ends.has(value),
      ),
    ...(isUnserved === undefined ? {} : { isUnserved: (body) => safely('isUnserved', () => isUnserved(body), false, isBoolean) }),
    ...(collect === undefined
      ? {}
      : { collect: Object.fromEntries(Object.entries(collect).map(([face, shape]) => [face as Face, guardedShape(shape)])) }),
  }
}

function byStatus(status: number): AnswerClass {
  if (status < 400) return 'ok'
  return status < 500 ? 'client' : 'retry'
}

/** What goes into requests of clients must be what it says. */
function isHandover({ faces, field, ask }: Partial<Record<keyof Handover, unknown>>): boolean {
  if (!Array.isArray(faces) || typeof field !== 'string' || field === '' || typeof ask !== 'string') return false
  try {
    JSON.parse(ask)
    return true
  } catch {
    return false
  }
}
