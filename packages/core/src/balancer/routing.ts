import type { Clock, RandomSource } from '../base/index.js'
import type { Strategy } from '../contracts/index.js'
import { createCors, createKeyRing, type Cors, type KeyRing } from '../gateway/index.js'
import type { Belief } from '../insight/index.js'
import type { PoolDirectory, PoolRoute } from '../proxy/index.js'
import type { StrategyRegistry } from '../strategies/index.js'
import { resolveSecret, type PoolPlan, type SecretRef, type Topology } from '../topology/index.js'

/** What a topology says about requests, ready for use. */
export interface Routing {
  readonly topology: Topology
  readonly directory: PoolDirectory
  readonly keys: KeyRing
  readonly cors: Cors | undefined
}

export interface RoutingParts {
  readonly clock: Clock
  readonly random: RandomSource
  readonly env: NodeJS.ProcessEnv
  readonly registry: StrategyRegistry
  readonly belief: Belief
  readonly before?: Routing
  /** Its gateway is the one of before: keys are not read again. */
  readonly keepsGateway?: boolean
}

/** Throws LB_SECRET_MISSING where a key cannot be read. */
export function routingOf(topology: Topology, parts: RoutingParts): Routing {
  const routes = topology.pools.map((pool) => poolRoute(pool, strategyFor(pool, parts)))
  const byModel = new Map(routes.flatMap((route) => route.models.map((model) => [model, route] as const)))
  const directory: PoolDirectory = {
    poolOf: (model) => byModel.get(model),
    only: routes.length === 1 ? routes[0] : undefined,
    models: [...byModel.keys()],
  }
  const { before, keepsGateway = false } = parts
  const { keys, cors } = keepsGateway && before !== undefined ? before : gatewayOf(topology, parts)
  return { topology, directory, keys, cors }
}

/**
 * Whether requests would go another way: names, limits, strategies, shares of revisions. How many nodes there are says nothing of that.
 */
export function routesDiffer(before: Topology, after: Topology): boolean {
  const routes = ({ pools }: Topology) => pools.map(({ groups, ...pool }) => [pool, [...(weightsOf({ groups }) ?? [])]])
  return JSON.stringify(routes(before)) !== JSON.stringify(routes(after))
}

function gatewayOf({ gateway }: Topology, { env }: RoutingParts): Pick<Routing, 'keys' | 'cors'> {
  const keys = createKeyRing(gateway.apiKeys.map((ref) => ({ name: secretName(ref), key: resolveSecret(ref, env) })))
  return { keys, cors: gateway.cors === undefined ? undefined : createCors(gateway.cors) }
}

/** What a key is called where it is spoken of: never the key itself. */
function secretName(ref: SecretRef): string {
  return 'env' in ref ? ref.env : ref.file
}

/** A strategy that a reload did not change keeps its state: round robin goes on where it was. */
function strategyFor(pool: PoolPlan, { registry, belief, random, clock, before }: RoutingParts): Strategy {
  const old = before?.topology.pools.find((other) => other.name === pool.name)
  const kept =
    old !== undefined && JSON.stringify(old.strategy) === JSON.stringify(pool.strategy)
      ? before?.directory.poolOf(old.models[0] ?? '')
      : undefined
  const { name, settings } = pool.strategy
  return kept?.strategy ?? registry.create(name, { settings, random, clock, belief })
}

function poolRoute(pool: PoolPlan, strategy: Strategy): PoolRoute {
  const { requireLabels, sessionHeader } = pool
  return {
    name: pool.name,
    models: pool.models,
    strategy,
    strategyName: pool.strategy.name,
    sessionHeader,
    requiredLabels: requireLabels === undefined ? undefined : Object.entries(requireLabels),
    line: pool.line,
    handover: pool.handover,
    retries: pool.retries,
    continuation: pool.continuation,
    timeouts: pool.timeouts,
    split: pool.split,
    weights: weightsOf(pool),
    wake: pool.wake,
  }
}

/** What each revision loads, as far as its groups say it. */
function weightsOf({ groups }: Pick<PoolPlan, 'groups'>): ReadonlyMap<string, string> | undefined {
  if (!groups.some(({ revision }) => revision !== undefined)) return undefined
  const weights = new Map<string, string>()
  for (const { revision = '', launch, model } of groups) {
    const name = launch?.model ?? model ?? ''
    const known = weights.get(revision)
    weights.set(revision, known === undefined || known === name ? name : `${known} ${name}`)
  }
  return weights
}
