import type { Backend, PreflightFinding, PullProgress } from '../../contracts/index.js'
import { isLbError, LbError, messageOf } from '../../errors/index.js'
import { hasOwnCommandLine, preflight, prepareLaunch } from '../../nodes/index.js'
import type { GroupPlan, PoolPlan } from '../../topology/index.js'
import { backendOf, nodePlanOf, type WeightsContext } from './weights.js'

/** Fetches weights that engines cannot fetch without being launched: from a hub, into the place where the engine looks. False: it knows no way. */
export type WeightsFetcher = (
  wanted: { readonly pool: PoolPlan; readonly group: GroupPlan },
  options: Pick<FetchOptions, 'signal' | 'onProgress'>,
) => Promise<boolean>

export interface FetchOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: PullProgress) => void
  /** A running engine of the old revision, which keeps its models where the new one will look. */
  readonly running?: Backend | undefined
  readonly fetcher?: WeightsFetcher | undefined
}

/**
 * Sees to it that a group's weights are where its engine will look, before anything is drained for it. `here`: they were. Throws LB_WEIGHTS_MISSING (422) with
 * how to bring them, or what the pull throws; what else would stop the launch is LB_LAUNCH_REFUSED (422).
 */
export async function fetchWeights(
  pool: PoolPlan,
  group: GroupPlan,
  context: WeightsContext,
  options: FetchOptions,
): Promise<'here' | 'fetched'> {
  if (group.source !== undefined) return 'here'
  if (group.launch === undefined) return pullAt(backendOf(pool, group, context), group.model, options)
  const wrong = (await findings(pool, group, context)).find(({ severity }) => severity === 'error')
  if (wrong !== undefined)
    throw refused(wrong.kind === 'model-missing' ? 'LB_WEIGHTS_MISSING' : 'LB_LAUNCH_REFUSED', wrong.message, wrong.hint)
  const missing = await lackOf(pool, group, context, options.signal)
  if (missing === undefined) return 'here'
  if (await brought(missing, { pool, group }, options)) return 'fetched'
  throw refused(
    'LB_WEIGHTS_MISSING',
    `${missing} is not here: it would be fetched while a node of pool ${pool.name} is gone for it`,
    `lb models pull ${missing} --pool ${pool.name}`,
  )
}

/** What would have to be fetched. A plugin that cannot tell has nothing to say against the launch. */
async function lackOf(pool: PoolPlan, group: GroupPlan, context: WeightsContext, signal: AbortSignal): Promise<string | undefined> {
  // Its plugin would look at the files of this machine.
  if (group.host !== undefined) return undefined
  try {
    const told: unknown = await backendOf(pool, group, context).toFetch?.(signal)
    return typeof told === 'string' && told !== '' ? told : undefined
  } catch {
    return undefined
  }
}

/** By a server of its kind that runs, or from a hub. */
async function brought(model: string, wanted: Parameters<WeightsFetcher>[0], options: FetchOptions): Promise<boolean> {
  const { running, fetcher } = options
  if (running?.models?.pull === undefined) return (await fetcher?.(wanted, options)) ?? false
  await pull(running, model, options)
  return true
}

/** A server that keeps its own models and lacks this one. One that cannot be asked is left to its probe. */
async function pullAt(backend: Backend, model: string | undefined, options: FetchOptions): Promise<'here' | 'fetched'> {
  if (model === undefined || backend.models?.pull === undefined) return 'here'
  const content = await backend.content?.(options.signal).catch(() => null)
  if (content !== undefined) return 'here'
  await pull(backend, model, options)
  return 'fetched'
}

async function pull(backend: Backend, model: string, { signal, onProgress }: FetchOptions): Promise<void> {
  try {
    await backend.models?.pull?.(model, { signal, onProgress })
  } catch (cause) {
    if (isLbError(cause) || signal.aborted) throw cause
    throw refused('LB_PULL_FAILED', `${model} cannot be fetched: ${messageOf(cause)}`, `lb models pull ${model} tells more`)
  }
}

async function findings(pool: PoolPlan, group: GroupPlan, context: WeightsContext): Promise<readonly PreflightFinding[]> {
  // Its plugin would look at the files of this machine.
  if (group.host !== undefined || group.launch === undefined) return []
  const extra = (backend: Backend) => Array.from({ length: backend.extraPorts ?? 0 }, (_, index) => index + 2)
  const slotOf = (backend: Backend) => Promise.resolve({ host: '127.0.0.1', port: 1, replica: 0, extraPorts: extra(backend) })
  const { backend, plan, env } = await prepareLaunch(nodePlanOf(pool, group), 1, slotOf, context)
  const isOwnCommandLine = hasOwnCommandLine(group.launch)
  return preflight({ backend, engine: group.engine, command: plan.command, path: env['PATH'], isOwnCommandLine, clock: context.clock })
}

function refused(code: string, message: string, hint: string): LbError {
  return new LbError(message, { code, source: 'operator', httpStatus: 422, hint })
}
