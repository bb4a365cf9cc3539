import { listOf, recordOf } from './key-path.js'
import type { PoolChange } from './with-changes.js'

/** True for the shape of what a program like this one once wrote of a pool: nothing of it may stop a start, or a request. */
export function isPoolChange(value: unknown): value is PoolChange {
  const { groups, split, wake } = recordOf(value)
  const isWhole = listOf(groups).length > 0 && listOf(groups).every(isGroupPlan)
  return isWhole && (split === undefined || isSplitPlan(split)) && (wake === undefined || typeof recordOf(wake)['withinMs'] === 'number')
}

function isGroupPlan(value: unknown): boolean {
  const { name, engine, weight, launch, attach, source } = recordOf(value)
  const kinds = [launch, attach, source].filter((kind) => kind !== undefined)
  const isNamed = typeof name === 'string' && typeof engine === 'string' && typeof weight === 'number'
  return isNamed && kinds.length === 1 && (launch === undefined || isLaunch(launch)) && (attach === undefined || isAttach(attach))
}

function isLaunch(value: unknown): boolean {
  const { replicas, slots, settings, env, restarts } = recordOf(value)
  const parts = [settings, env, restarts].every((part) => typeof part === 'object' && part !== null)
  return parts && Number.isInteger(replicas) && (slots === undefined || (Array.isArray(slots) && slots.every(Number.isInteger)))
}

function isAttach(value: unknown): boolean {
  return typeof recordOf(value)['url'] === 'string'
}

function isSplitPlan(value: unknown): boolean {
  const sides = listOf(recordOf(value)['sides'])
  return sides.length > 0 && sides.map(recordOf).every(({ revision, share }) => typeof revision === 'string' && typeof share === 'number')
}
