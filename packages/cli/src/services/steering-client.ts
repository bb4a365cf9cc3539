import type {
  JudgeReport,
  ResidencyStatus,
  RevisionEntry,
  RolloutStatus,
  RolloutVerb,
  RolloutWish,
  ScaleStatus,
  Topologies,
} from '@plimsoll/core/client'

/** Asks control once. `withinMs`: the longest wait for the answer; default: 10 s. */
export type ControlCall = (
  method: 'GET' | 'POST',
  path: string,
  more?: { readonly body?: object; readonly withinMs?: number },
) => Promise<unknown>

/** What changes the running topology: rollouts, the number of nodes, who rests. */
export interface SteeringClient {
  /** As declared and as it runs. */
  topologies(): Promise<Topologies>
  /** Running and past ones of all pools, newest first. */
  rollouts(): Promise<readonly RolloutStatus[]>
  /** The one that runs in a pool, else its last. */
  rollout(pool: string): Promise<RolloutStatus>
  startRollout(wish: RolloutWish): Promise<RolloutStatus>
  actOnRollout(pool: string, verb: RolloutVerb): Promise<RolloutStatus>
  compareRollout(pool: string): Promise<JudgeReport>
  revisions(pool: string): Promise<readonly RevisionEntry[]>
  scale(pool: string, replicas: number, group?: string): Promise<ScaleStatus>
  unload(pool: string): Promise<ResidencyStatus>
}

/** To begin may mean to ask a hub for the content of weights; to put to rest waits for work to end. */
const PATIENCE_MS = 120_000

export function steeringClient(call: ControlCall): SteeringClient {
  const of = (pool: string): string => `/v1/rollouts/${encodeURIComponent(pool)}`
  const pools = (pool: string): string => `/v1/pools/${encodeURIComponent(pool)}`
  return {
    topologies: async () => (await call('GET', '/v1/topology')) as Topologies,
    rollouts: async () => ((await call('GET', '/v1/rollouts')) as { rollouts: readonly RolloutStatus[] }).rollouts,
    rollout: async (pool) => (await call('GET', of(pool))) as RolloutStatus,
    startRollout: async (wish) => (await call('POST', '/v1/rollouts', { body: wish, withinMs: PATIENCE_MS })) as RolloutStatus,
    actOnRollout: async (pool, verb) => (await call('POST', `${of(pool)}/${verb}`, { withinMs: PATIENCE_MS })) as RolloutStatus,
    compareRollout: async (pool) => (await call('GET', `${of(pool)}/compare`)) as JudgeReport,
    revisions: async (pool) => ((await call('GET', `${pools(pool)}/revisions`)) as { revisions: readonly RevisionEntry[] }).revisions,
    scale: async (pool, replicas, group) =>
      (await call('POST', `${pools(pool)}/scale`, {
        body: { replicas, ...(group === undefined ? {} : { group }) },
        withinMs: PATIENCE_MS,
      })) as ScaleStatus,
    unload: async (pool) => (await call('POST', `${pools(pool)}/unload`, { withinMs: PATIENCE_MS })) as ResidencyStatus,
  }
}
