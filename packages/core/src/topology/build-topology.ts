import { isAbsolute, posix, resolve } from 'node:path'
import { parseListen } from './addresses.js'
import { attachedGroups } from './build-attach.js'
import { defaultListen, defaultStrategy, type CheckContext } from './check-context.js'
import { gpuWish } from './gpu-wish.js'
import { scalePlan } from './build-scale.js'
import { deepFreeze } from './deep-freeze.js'
import { groupNames } from './group-names.js'
import { healthPlan } from './health-plan.js'
import { hostPlan } from './host-plans.js'
import { parseDuration, parseSize } from './quantities.js'
import { residencyPlan } from './residency-plan.js'
import { retryPlan } from './retry-plan.js'
import { rolloutPlan } from './rollout-plan.js'
import type { TopologyInput } from './schema.js'
import type {
  GatewayPlan,
  GroupPlan,
  HostPlan,
  LaunchSettings,
  ListenAddress,
  PoolPlan,
  SecretRef,
  StrategyPlan,
  Topology,
} from './topology.js'
import { warmUpPlan } from './warm-up-plan.js'

type GatewayInput = NonNullable<TopologyInput['gateway']>
type PoolInput = TopologyInput['pools'][string]
type NodeInput = PoolInput['nodes'][number]
type LaunchInput = NonNullable<NodeInput['launch']>
type BuildContext = CheckContext & { readonly hosts: NonNullable<TopologyInput['hosts']>; readonly zone: string | undefined }

/** Fills in every default. `input` has passed all checks: nothing is judged here. */
export function buildTopology(
  input: TopologyInput,
  identity: { readonly name: string; readonly file?: string },
  context: CheckContext,
): Topology {
  const pools = Object.entries(input.pools).filter(([name]) => !name.startsWith('x-'))
  return deepFreeze({
    version: 1,
    ...identity,
    gateway: gatewayPlan(input.gateway ?? {}, context),
    pools: pools.map(([name, pool]) => poolPlan(name, pool, { ...context, hosts: input.hosts ?? {}, zone: input.gateway?.zone })),
  })
}

function gatewayPlan(input: GatewayInput, context: CheckContext): GatewayPlan {
  const listen = input.listen === undefined ? [defaultListen] : [input.listen].flat()
  const { cors, tls } = input
  const log = typeof input.requestLog === 'string' ? { file: input.requestLog } : input.requestLog
  return {
    listen: listen.map((text) => parseListen(text, context.baseDir)).filter((address): address is ListenAddress => address !== undefined),
    apiKeys: (input.apiKeys ?? []).map((ref) => secretRef(ref, context)),
    open: input.open ?? false,
    workers: input.workers ?? 1,
    trustedProxies: input.trustedProxies ?? [],
    ...(cors === undefined ? {} : { cors: { origins: [cors.origins].flat(), maxAgeMs: ms(cors.maxAge ?? '10m') } }),
    ...(tls === undefined ? {} : { tls: { certFile: resolve(context.baseDir, tls.cert), keyFile: resolve(context.baseDir, tls.key) } }),
    connectionsPerAddress: input.connectionsPerAddress ?? 1000,
    maxConnections: input.maxConnections ?? 20_000,
    heartbeatMs: ms(input.heartbeat ?? '15s'),
    maxBodyBytes: bytes(input.maxBody ?? '64MiB'),
    maxBodiesBytes: bytes(input.maxBodies ?? '512MiB'),
    traceShare: input.traceShare ?? 0.01,
    ...(input.zone === undefined ? {} : { zone: input.zone }),
    ...(log === undefined
      ? {}
      : { requestLog: { file: resolve(context.baseDir, log.file), maxBytes: bytes(log.maxSize ?? '64MiB'), keep: log.keep ?? 3 } }),
  }
}

function poolPlan(name: string, input: PoolInput, context: BuildContext): PoolPlan {
  const names = groupNames(input.nodes)
  return {
    name,
    models: input.models ?? [name],
    strategy: strategyPlan(input.strategy ?? defaultStrategy, context),
    groups: input.nodes.flatMap((node, index) => groupPlans(names[index] ?? '', node, context)),
    ...(input.sessionHeader === undefined ? {} : { sessionHeader: input.sessionHeader.toLowerCase() }),
    ...(input.requireLabels === undefined ? {} : { requireLabels: ownKeys(input.requireLabels) }),
    line: { max: input.line?.max ?? 1000, longestMs: ms(input.line?.longest ?? '30s') },
    ...(input.nodes.some(({ role }) => role === 'prefill')
      ? { handover: { minPromptTokens: input.handover?.minPromptTokens ?? 0, orServe: input.handover?.orServe ?? true } }
      : {}),
    retries: retryPlan(input.retries),
    continuation: input.continuation ?? 'text',
    timeouts: {
      connectMs: ms(input.timeouts?.connect ?? '2s'),
      firstTokenMs: ms(input.timeouts?.firstToken ?? '2m'),
      idleMs: ms(input.timeouts?.idle ?? '60s'),
    },
    health: healthPlan(input.health),
    drainMs: ms(input.drain ?? '60s'),
    ...(input.rollout === undefined ? {} : { rollout: rolloutPlan(input.rollout, context.baseDir, metricSettings(context)) }),
    ...(input.residency === undefined ? {} : { residency: residencyPlan(input.residency) }),
    ...wakeOf(input),
  }
}

function metricSettings({ metrics, checkSettings }: CheckContext) {
  return (name: string, settings: Readonly<Record<string, unknown>>) =>
    checkSettings({ schema: metrics.get(name)?.settings ?? {}, owner: `metric ${name}`, settings, path: [] }).settings
}

/** Requests wait for a node where all of a group may rest: as long as its engine may take to load, or as `residency` says. */
function wakeOf({ nodes, residency }: PoolInput): Pick<PoolPlan, 'wake'> {
  const scaled = nodes.flatMap(({ launch }) =>
    typeof launch?.replicas === 'object' && launch.replicas.min === 0 ? [ms(launch.readyWithin ?? '10m')] : [],
  )
  const waits = residency === undefined ? scaled : [...scaled, residencyPlan(residency).wakeWithinMs]
  return waits.length === 0 ? {} : { wake: { withinMs: Math.max(...waits) } }
}

function strategyPlan(input: string | { name: string }, context: CheckContext): StrategyPlan {
  const { name, ...given } = typeof input === 'string' ? { name: input } : input
  const schema = context.strategies.get(name)?.settings ?? {}
  return { name, settings: context.checkSettings({ schema, owner: `strategy ${name}`, settings: given, path: [] }).settings }
}

function groupPlans(name: string, input: NodeInput, context: BuildContext): readonly GroupPlan[] {
  const facts = context.engines.get(input.engine)
  const warmUp = warmUpPlan(input)
  const common = {
    name,
    engine: input.engine,
    weight: input.weight ?? 1,
    ...(input.model === undefined ? {} : { model: input.model }),
    ...(input.apiKey === undefined ? {} : { apiKey: secretRef(input.apiKey, context) }),
    ...zoneOf(input, context),
    ...(input.labels === undefined ? {} : { labels: ownKeys(input.labels) }),
    ...(input.role === undefined ? {} : { role: input.role }),
    ...(warmUp === undefined ? {} : { warmUp }),
    ...(input.price === undefined ? {} : { price: { promptPerMillion: input.price.prompt, outputPerMillion: input.price.output } }),
  }
  if (input.launch !== undefined) {
    const host = input.ssh === undefined ? undefined : hostPlan(input.ssh, context.hosts, context.baseDir)
    return [{ ...common, launch: launchPlan(input.engine, input.launch, { ...context, host }), ...(host === undefined ? {} : { host }) }]
  }
  return attachedGroups(common, input.attach ?? facts?.defaultAttachUrl ?? '', context.baseDir)
}

function launchPlan(engine: string, input: LaunchInput, context: CheckContext & { readonly host: HostPlan | undefined }): LaunchSettings {
  const schema = context.engines.get(engine)?.settings ?? {}
  const env = Object.entries(input.env ?? {}).filter(([name]) => !name.startsWith('x-'))
  const venv = input.venv ?? context.host?.venv
  return {
    ...replicasOf(input.replicas ?? 1),
    ...(input.model === undefined ? {} : { model: weightsOf(input.model, context) }),
    ...(input.command === undefined ? {} : { command: input.command }),
    ...(venv === undefined ? {} : { venv: context.host === undefined ? resolve(context.baseDir, venv) : venv }),
    ...(input.ready === undefined ? {} : { readyPath: input.ready }),
    settings: context.checkSettings({ schema, owner: `engine ${engine}`, settings: input.args ?? {}, path: [] }).settings,
    env: Object.fromEntries(env.map(([name, value]) => [name, typeof value === 'string' ? value : secretRef(value, context)])),
    ...(input.gpus === undefined ? {} : { gpus: gpuWish(input.gpus) }),
    ...(input.readyWithin === undefined ? {} : { readyWithinMs: ms(input.readyWithin) }),
    restarts: { max: input.restarts?.max ?? 5, withinMs: ms(input.restarts?.within ?? '10m') },
  }
}

/** A group that follows the load begins with the fewest, and has the names of the most. */
function replicasOf(input: NonNullable<LaunchInput['replicas']>): Pick<LaunchSettings, 'replicas' | 'slots' | 'scale'> {
  if (typeof input === 'number') return { replicas: input }
  const scale = scalePlan(input)
  return { replicas: scale.max, slots: Array.from({ length: scale.min }, (_, slot) => slot), scale }
}

/** Only what starts with ./ is a place of ours to know: any other name may be a repository or a tag. */
function weightsOf(model: string, { baseDir, host }: { readonly baseDir: string; readonly host: HostPlan | undefined }): string {
  if (!/^\.\.?\//.test(model)) return model
  return host === undefined ? resolve(baseDir, model) : posix.join(host.modelDir ?? '', model)
}

/** Of the group, else of its host; what lb launches beside itself stands where it stands. */
function zoneOf({ zone, ssh, launch }: NodeInput, context: BuildContext): { readonly zone?: string } {
  const own = zone ?? (ssh === undefined ? (launch === undefined ? undefined : context.zone) : hostZone(ssh, context))
  return own === undefined ? {} : { zone: own }
}

function hostZone(ssh: string, { hosts }: BuildContext): string | undefined {
  return Object.hasOwn(hosts, ssh) ? hosts[ssh]?.zone : undefined
}

/** Without notes (`x-`). */
function ownKeys(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !name.startsWith('x-')))
}

function secretRef(ref: { readonly env?: string; readonly file?: string }, context: CheckContext): SecretRef {
  if (ref.env !== undefined) return { env: ref.env }
  const file = ref.file ?? ''
  return { file: isAbsolute(file) ? file : resolve(context.baseDir, file) }
}

function ms(text: string): number {
  return parseDuration(text) ?? 0
}

function bytes(text: string): number {
  return parseSize(text) ?? 0
}
