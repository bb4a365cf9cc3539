import { randomBytes } from 'node:crypto'
import type { Clock, RandomSource } from '../base/index.js'
import type { Backend, EnginePlugin, HeaderView, Logger, PluginHost, ProbeReport } from '../contracts/index.js'
import { isLbError, LbError, messageOf } from '../errors/index.js'
import { baseEnvironment } from '../machines/index.js'
import { type LaunchSettings, resolveSecret, type SecretRef } from '../topology/index.js'
import type { GpuDesks } from './gpu-desks.js'
import type { LeftoverBook } from './leftover-book.js'
import { guardBackend } from './guard-backend.js'
import type { NodePlan } from './node-plan.js'
import type { Node } from './node.js'
import { upstreamTarget } from './upstream-target.js'

/** What making a backend takes. */
export interface BackendContext {
  readonly host: PluginHost
  readonly engines: ReadonlyMap<string, EnginePlugin>
  readonly env: NodeJS.ProcessEnv
  /** The key of a node that listens where others could reach it; the same for the same node, also after a restart. */
  readonly nodeKey?: (nodeId: string) => string
}

/** What runners are handed. */
export interface RunnerContext extends BackendContext {
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** Where the logs of launched engines go. */
  readonly logDir: string
  /** First part of every node's mark. */
  readonly topologyName: string
  /** Stands in every mark: names the folder in which this topology keeps its state. */
  readonly markKey: string
  /** Engines of an earlier balancer that may be taken over. */
  readonly leftovers: LeftoverBook
  /** Gives out accelerators; without it nodes that ask for some cannot be launched. */
  readonly gpus?: Pick<GpuDesks, 'take' | 'adopt' | 'retake'>
  /** Called whenever what must be written down has changed: a process began or ended. */
  readonly onRecord: () => void
}

/** Keeps one node's endpoint alive, in whatever way its group says. */
export interface NodeRunner {
  /** Resolves when the start has begun or failed. Nothing happens where it runs already. */
  start(): Promise<void>
  /** Ends what it launched, without asking once `forced` is aborted; an attached server is left alone. */
  stop(forced?: AbortSignal): Promise<void>
  /** Whether there is a server to be judged: what answers at the address of an ended engine is somebody else. */
  readonly hasEndpoint: boolean
  /** Lets go without ending anything. */
  leave(): void
  /** Ends the engine without asking, and starts it again within its budget of restarts. */
  revive?(why: string): Promise<void>
  /** The engine sleeps: its accelerators are for others. */
  leaveSeat?(): void
  /** They are its own again, and their memory is free. Throws LB_NO_GPU where somebody else has them. */
  retakeSeat?(): Promise<void>
  /** What a probe said, whatever the verdict. */
  heard?(report: ProbeReport): void
}

/** The backend of a node at a URL. A plugin that throws is named. */
export function createBackend(plan: NodePlan, url: string, context: BackendContext): { backend: Backend; authHeaders: HeaderView } {
  const { group, pool, id } = plan
  const plugin = context.engines.get(group.engine)
  if (plugin === undefined)
    throw new LbError(`no engine plugin brings \`${group.engine}\``, { code: 'LB_UNKNOWN_ENGINE', source: 'operator' })
  const apiKey = group.apiKey === undefined ? keyOf(plan, context) : resolveSecret(group.apiKey, context.env)
  const spec = {
    id,
    url,
    models: pool.models,
    settings: group.launch?.settings ?? {},
    ...(group.model === undefined ? {} : { model: group.model }),
    ...(group.launch?.model === undefined ? {} : { weights: group.launch.model }),
    ...(group.launch?.readyPath === undefined ? {} : { readyPath: group.launch.readyPath }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(group.launch === undefined ? {} : { environment: environmentOf(group.launch, context.env) }),
  }
  try {
    return {
      backend: guardBackend(plugin.createBackend(spec, context.host), group.engine, context.host.log),
      authHeaders: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    }
  } catch (cause) {
    // What it refuses by name is the topology's fault, not its own.
    if (isLbError(cause) && cause.source === 'operator') throw cause
    throw new LbError(`the plugin of engine \`${group.engine}\` failed for ${id}: ${messageOf(cause)}`, {
      code: 'LB_PLUGIN_FAILED',
      source: 'operator',
      cause,
    })
  }
}

function environmentOf(launch: LaunchSettings, env: NodeJS.ProcessEnv): () => Readonly<Record<string, string>> {
  return () => baseEnvironment(declaredEnv(launch.env, env), env)
}

/** One that listens on loopback needs none. */
function keyOf({ group, id }: NodePlan, { nodeKey }: BackendContext): string | undefined {
  if (group.host?.directAddress === undefined) return undefined
  return nodeKey?.(id) ?? randomBytes(24).toString('hex')
}

/** Declared variables with their secrets filled in. */
export function declaredEnv(env: Readonly<Record<string, string | SecretRef>>, source: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, typeof value === 'string' ? value : resolveSecret(value, source)]),
  )
}

/** Attached servers are somebody else's: nothing to start or stop. */
export class AttachedRunner implements NodeRunner {
  readonly hasEndpoint = true

  constructor(
    private readonly node: Node,
    private readonly context: RunnerContext,
  ) {}

  async start(): Promise<void> {
    const url = this.node.plan.group.attach?.url ?? ''
    this.node.move('start')
    try {
      const made = createBackend(this.node.plan, url, this.context)
      this.node.setEndpoint({ url, target: upstreamTarget(url), mark: '', ...made })
    } catch (error) {
      this.node.move('fail', messageOf(error))
    }
    this.context.onRecord()
  }

  async stop(): Promise<void> {
    this.node.move('stop')
  }

  leave(): void {}
}
