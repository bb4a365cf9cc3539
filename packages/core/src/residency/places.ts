import type { GroupPlan, PoolPlan } from '../topology/index.js'

/** What of a machine the engines of a pool take while they are awake. */
export interface Place {
  readonly host: string
  /** `all`: nobody chose, or the server is not ours to look into. `main`: no accelerators. `gpus`: those that are given out. */
  readonly part: 'all' | 'main' | 'gpus'
}

export function placesOf({ groups }: Pick<PoolPlan, 'groups'>): readonly Place[] {
  return groups.map((group) => ({ host: hostOf(group), part: partOf(group) }))
}

/**
 * Whether two pools want the same place, whatever memory there is: on one machine, what sees all of it comes with nothing else, and what runs in main memory with nothing
 * of its kind. Those that are given accelerators are weighed by their memory, elsewhere.
 */
export function areRivals(one: readonly Place[], other: readonly Place[]): boolean {
  return one.some((a) =>
    other.some((b) => a.host === b.host && (a.part === 'all' || b.part === 'all' || (a.part === 'main' && b.part === 'main'))),
  )
}

/** Whether they stand on one machine. */
export function areNeighbours(one: readonly Place[], other: readonly Place[]): boolean {
  return one.some((a) => other.some((b) => a.host === b.host))
}

function partOf({ launch }: GroupPlan): Place['part'] {
  if (launch?.gpus === undefined) return 'all'
  return launch.gpus.kind === 'none' ? 'main' : 'gpus'
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

function hostOf({ launch, host, attach }: GroupPlan): string {
  if (launch !== undefined) return host?.name ?? HERE
  const url = attach?.url ?? ''
  if (!URL.canParse(url) || url.startsWith('http+unix:')) return HERE
  const { hostname } = new URL(url)
  return LOOPBACK.has(hostname) ? HERE : hostname
}

const HERE = 'this machine'
