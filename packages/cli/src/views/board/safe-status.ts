import type { BalancerEvent, BalancerStatus } from '@plimsoll/core'
import { sanitize } from '../sanitize.js'

/** The status with every foreign string made safe, once, at the door: what is drawn from it needs no further care. */
export function safeStatus(status: BalancerStatus): BalancerStatus {
  // A balancer of an earlier version does not tell of accelerators.
  return { ...safeCopy(status), gpus: safeCopy(status.gpus ?? []), gpuProblems: safeCopy(status.gpuProblems ?? []) }
}

export function safeEvent(event: BalancerEvent): BalancerEvent {
  return safeCopy(event)
}

/** Copies plain JSON data; strings are sanitised wherever they stand. Ids stay usable: none that an engine may have contains such characters. */
function safeCopy<T>(value: T): T {
  if (typeof value === 'string') return sanitize(value) as T
  if (Array.isArray(value)) return value.map(safeCopy) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, safeCopy(inner)])) as T
}
