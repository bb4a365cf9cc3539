import type { PoolStatus, ResidencyStatus, ScaleStatus } from '@plimsoll/core'
import { plainText, residencyLine, scaleLine } from './board/index.js'
import { sanitize } from './sanitize.js'
import { count } from './units.js'

/** Ends with a line break. */
export function scaleText(scale: ScaleStatus): string {
  return `${sanitize(`${scale.pool}  ${plainText(scaleLine(scale)).trim()}`)}\n`
}

/** Ends with a line break. */
export function unloadText(residency: ResidencyStatus): string {
  return `${sanitize(`${residency.pool}  ${plainText(residencyLine(residency)).trim()}`)}\n`
}

/** What it means to have no node of a group; undefined where others of the pool are ready, or where only a floor is taken away. */
export function zeroConsequence(pool: PoolStatus, group: string | undefined): string | undefined {
  const followsLoad = pool.scale?.some((scale) => scale.follows !== null && (group === undefined || group === scale.group))
  if (followsLoad === true) return undefined
  const isOf = (name: string): boolean => group === undefined || name === group || name.startsWith(`${group}-`)
  const others = pool.nodes.filter((node) => node.state === 'ready' && !isOf(node.name)).length
  if (others > 0) return undefined
  return `Scale ${pool.name} to 0? ${running(pool)}no node of it is left: new requests wait for one or fail until it is scaled up.`
}

/** What it means to put a pool to rest now; undefined where nobody would notice. */
export function restConsequence(pool: PoolStatus): string | undefined {
  if (pool.inFlight + (pool.inLine ?? 0) === 0) return undefined
  return `Unload ${pool.name}? ${running(pool)}the next request waits while it is loaded again.`
}

function running({ inFlight }: PoolStatus): string {
  if (inFlight === 0) return ''
  return inFlight === 1 ? '1 request in flight ends first; ' : `${count(inFlight)} requests in flight end first; `
}
