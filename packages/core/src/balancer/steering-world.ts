import type { PluginHost } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import { planGpus } from '../nodes/index.js'
import { isOver, type RolloutDesk, type RolloutStatus } from '../rollout/index.js'
import { choosesGpus, withChanges, type GroupPlan } from '../topology/index.js'
import { createPluginHost } from './plugin-host.js'
import type { SteeringParts } from './steering.js'

/** What more than one of the rooms that change the running topology needs of this house. */
export interface SteeringWorld {
  /** What making a backend takes. */
  readonly context: {
    readonly engines: ReadonlyMap<string, SteeringParts['options']['engines'][number]>
    readonly host: PluginHost
    readonly env: NodeJS.ProcessEnv
  }
  /** By node id, why it has no place among the accelerators where the pool has these groups; nodes that have one are left out. */
  readonly refusals: (pool: string, groups: readonly GroupPlan[]) => Promise<ReadonlyMap<string, string>>
  /** The text of a URL of the operator's. Throws LB_URL_REFUSED. */
  readonly fetchText: (url: string, signal: AbortSignal) => Promise<string>
  /** Throws LB_URL_REFUSED. */
  readonly post: (url: string, body: unknown, withinMs: number) => Promise<void>
}

export function steeringWorld({ options, plans }: Pick<SteeringParts, 'options' | 'plans'>): SteeringWorld {
  const host = createPluginHost(options.log)
  const context = { engines: new Map(options.engines.map((plugin) => [plugin.engine, plugin])), host, env: options.env }
  return {
    context,
    async refusals(pool, groups) {
      if (!groups.some(choosesGpus)) return new Map()
      const { placements } = await planGpus(withChanges(plans.topology, new Map([[pool, { groups }]])), context)
      return new Map([...placements].flatMap(([id, { refusal }]) => (refusal === undefined ? [] : [[id, refusal.message] as const])))
    },
    async fetchText(url, signal) {
      const { status, text } = await host.get(url, { signal })
      refuseBad(url, status)
      return text
    },
    async post(url, body, withinMs) {
      const { status } = await host.send('POST', url, { body, signal: AbortSignal.timeout(withinMs) })
      refuseBad(url, status)
    },
  }
}

/** Ids of nodes of a pool that still end: those that left, and engines of an earlier balancer that no node of this topology takes over. */
export function leavingIn(
  pool: string,
  fleet: {
    nodes(): readonly { readonly id: string }[]
    leaving(): readonly { readonly id: string }[]
    records(): readonly { readonly id: string; readonly process?: unknown }[]
  },
): readonly string[] {
  const known = new Set(fleet.nodes().map(({ id }) => id))
  const left = fleet.records().flatMap(({ id, process }) => (known.has(id) || process === undefined ? [] : [id]))
  const ids = new Set([...fleet.leaving().map(({ id }) => id), ...left])
  return [...ids].filter((id) => id.startsWith(`${pool}/`))
}

/** The rollout that runs in a pool. */
export function rolloutIn(rollouts: Pick<RolloutDesk, 'list'>, pool: string): RolloutStatus | undefined {
  return rollouts.list().find((each) => each.pool === pool && !isOver(each))
}

function refuseBad(url: string, status: number): void {
  if (status <= 299) return
  throw new LbError(`${new URL(url).host} answered ${status}`, {
    code: 'LB_URL_REFUSED',
    source: 'operator',
    hint: 'ask that URL yourself: it must answer 2xx',
  })
}
