import { retryPlan } from './retry-plan.js'
import type { GroupPlan, LaunchSettings, PoolPlan, Topology } from './topology.js'

/** A pool of short times in which nothing is declared but its node groups. */
export function plainPool(groups: readonly GroupPlan[], more: Partial<PoolPlan> = {}): PoolPlan {
  return {
    name: 'demo',
    models: ['m'],
    strategy: { name: 'least-tokens', settings: {} },
    groups,
    line: { max: 10, longestMs: 1000 },
    retries: retryPlan(),
    continuation: 'text',
    timeouts: { connectMs: 1000, firstTokenMs: 1000, idleMs: 1000 },
    health: { intervalMs: 50, fall: 2, rise: 2, timeoutMs: 2000, canary: { nodes: 'none', everyMs: 0, withinMs: 1000 }, slowStartMs: 0 },
    drainMs: 10_000,
    ...more,
  }
}

/** A group of an engine called `script`. */
export function plainGroup(launch: Partial<LaunchSettings> = {}, more: Partial<GroupPlan> = {}): GroupPlan {
  return {
    name: 'gpu',
    engine: 'script',
    weight: 1,
    launch: { replicas: 1, settings: {}, env: {}, restarts: { max: 5, withinMs: 600_000 }, ...launch },
    ...more,
  }
}

/** Pools behind a gateway that listens nowhere. */
export function plainTopology(...pools: readonly PoolPlan[]): Topology {
  return {
    version: 1,
    name: 'test',
    gateway: {
      listen: [],
      apiKeys: [],
      open: false,
      workers: 1,
      trustedProxies: [],
      connectionsPerAddress: 1,
      maxConnections: 1,
      heartbeatMs: 0,
      maxBodyBytes: 1,
      maxBodiesBytes: 1,
      traceShare: 0,
    },
    pools,
  }
}
