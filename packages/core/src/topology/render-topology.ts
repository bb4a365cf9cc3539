import { formatListen } from './addresses.js'
import { sourceForm } from './build-attach.js'
import { scaleForm } from './build-scale.js'
import { gpusForm } from './gpu-wish.js'
import { healthForm } from './health-plan.js'
import { namePattern } from './name-pattern.js'
import { formatDuration, formatSize } from './quantities.js'
import { residencyForm } from './residency-plan.js'
import { retryForm } from './retry-plan.js'
import { rolloutForm } from './rollout-plan.js'
import type { GatewayPlan, GroupPlan, HostPlan, LaunchSettings, PoolPlan, Topology } from './topology.js'
import { warmUpForm } from './warm-up-plan.js'

/** The topology as YAML with every default filled in; resolving the text gives the same topology again. Secrets stay references. */
export async function renderTopology(topology: Topology): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(topologyForm(topology), { version: '1.2', schema: 'core', aliasDuplicateObjects: false, lineWidth: 0 })
}

/** The resolved topology in the words of the file; what `lb config --json` prints. */
export function topologyForm(topology: Topology): object {
  return {
    version: 1,
    name: topology.name,
    gateway: gatewayForm(topology.gateway),
    ...hostsForm(topology),
    pools: Object.fromEntries(topology.pools.map((pool) => [pool.name, poolForm(pool)])),
  }
}

function gatewayForm(gateway: GatewayPlan): object {
  const { requestLog: log, cors, tls } = gateway
  return {
    listen: gateway.listen.map(formatListen),
    apiKeys: gateway.apiKeys.map((ref) => ({ ...ref })),
    open: gateway.open,
    workers: gateway.workers,
    trustedProxies: [...gateway.trustedProxies],
    ...(cors === undefined
      ? {}
      : { cors: { origins: cors.origins.includes('*') ? '*' : [...cors.origins], maxAge: formatDuration(cors.maxAgeMs) } }),
    ...(tls === undefined ? {} : { tls: { cert: plain(tls.certFile), key: plain(tls.keyFile) } }),
    connectionsPerAddress: gateway.connectionsPerAddress,
    maxConnections: gateway.maxConnections,
    heartbeat: formatDuration(gateway.heartbeatMs),
    maxBody: formatSize(gateway.maxBodyBytes),
    maxBodies: formatSize(gateway.maxBodiesBytes),
    traceShare: gateway.traceShare,
    ...(gateway.zone === undefined ? {} : { zone: plain(gateway.zone) }),
    ...(log === undefined ? {} : { requestLog: { file: plain(log.file), maxSize: formatSize(log.maxBytes), keep: log.keep } }),
  }
}

function poolForm(pool: PoolPlan): object {
  const { connectMs, firstTokenMs, idleMs } = pool.timeouts
  return {
    models: pool.models.map(plain),
    strategy: { name: pool.strategy.name, ...deepPlain(pool.strategy.settings) },
    nodes: pool.groups.map(groupForm),
    ...(pool.sessionHeader === undefined ? {} : { sessionHeader: pool.sessionHeader }),
    ...(pool.requireLabels === undefined ? {} : { requireLabels: deepPlain(pool.requireLabels) }),
    line: { max: pool.line.max, longest: formatDuration(pool.line.longestMs) },
    ...(pool.handover === undefined ? {} : { handover: { ...pool.handover } }),
    retries: retryForm(pool.retries),
    continuation: pool.continuation,
    timeouts: { connect: formatDuration(connectMs), firstToken: formatDuration(firstTokenMs), idle: formatDuration(idleMs) },
    health: healthForm(pool.health),
    drain: formatDuration(pool.drainMs),
    ...(pool.rollout === undefined ? {} : { rollout: deepPlain(rolloutForm(pool.rollout)) }),
    ...(pool.residency === undefined ? {} : { residency: residencyForm(pool.residency) }),
  }
}

function groupForm(group: GroupPlan): object {
  return {
    name: group.name,
    engine: group.engine,
    weight: group.weight,
    ...(group.model === undefined ? {} : { model: plain(group.model) }),
    ...(group.apiKey === undefined ? {} : { apiKey: { ...group.apiKey } }),
    ...(group.zone === undefined ? {} : { zone: plain(group.zone) }),
    ...(group.labels === undefined ? {} : { labels: deepPlain(group.labels) }),
    ...(group.role === undefined ? {} : { role: group.role }),
    ...(group.price === undefined ? {} : { price: { prompt: group.price.promptPerMillion, output: group.price.outputPerMillion } }),
    ...(group.launch === undefined ? {} : { launch: launchForm(group.launch) }),
    ...(group.host === undefined ? {} : { ssh: group.host.name }),
    ...(group.attach === undefined ? {} : { attach: plain(group.attach.url) }),
    ...(group.source === undefined ? {} : { attach: deepPlain(sourceForm(group.source)) }),
    warmUp: group.warmUp === undefined ? false : warmUpForm(group.warmUp),
  }
}

/** The machines that node groups name; an address that stands in the group itself needs no entry. */
function hostsForm({ pools }: Topology): object {
  const hosts = pools.flatMap((pool) => pool.groups.flatMap((group) => group.host ?? []))
  const declared = hosts.filter(({ name }) => new RegExp(namePattern).test(name))
  if (declared.length === 0) return {}
  return { hosts: Object.fromEntries(declared.map((host) => [host.name, hostForm(host)])) }
}

function hostForm({ ssh: { host, user, port }, sshConfig, directAddress, venv, modelDir }: HostPlan): object {
  const address = host.includes(':') ? `[${host}]` : host
  return {
    ssh: `${user === undefined ? '' : `${user}@`}${address}${port === undefined ? '' : `:${port}`}`,
    ...(sshConfig === undefined ? {} : { sshConfig: plain(sshConfig) }),
    ...(directAddress === undefined ? {} : { reach: 'direct', address: directAddress }),
    ...(venv === undefined ? {} : { venv: plain(venv) }),
    ...(modelDir === undefined ? {} : { models: plain(modelDir) }),
  }
}

function launchForm(launch: LaunchSettings): object {
  return {
    replicas: launch.scale === undefined ? launch.replicas : deepPlain(scaleForm(launch.scale)),
    ...(launch.model === undefined ? {} : { model: plain(launch.model) }),
    ...(launch.command === undefined ? {} : { command: launch.command.map(plain) }),
    ...(launch.venv === undefined ? {} : { venv: plain(launch.venv) }),
    ...(launch.readyPath === undefined ? {} : { ready: plain(launch.readyPath) }),
    args: deepPlain(launch.settings),
    env: deepPlain(launch.env),
    ...(launch.gpus === undefined ? {} : { gpus: gpusForm(launch.gpus) }),
    ...(launch.readyWithinMs === undefined ? {} : { readyWithin: formatDuration(launch.readyWithinMs) }),
    restarts: { max: launch.restarts.max, within: formatDuration(launch.restarts.withinMs) },
  }
}

/** A `${` that came through stands for itself, so it must not be read as a reference the next time. */
function plain(text: string): string {
  return text.replaceAll('${', () => '$${')
}

/** The same for all texts of a value. */
export function deepPlain<Value>(value: Value): Value {
  if (typeof value === 'string') return plain(value) as Value
  if (Array.isArray(value)) return value.map(deepPlain) as Value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, deepPlain(part)])) as Value
}
