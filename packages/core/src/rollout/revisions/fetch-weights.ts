import type { Backend, LaunchSlot, PullProgress } from '../../contracts/index.js'
import { isLbError, LbError, messageOf } from '../../errors/index.js'
import { hasOwnCommandLine, preflight, prepareLaunch } from '../../nodes/index.js'
import type { GroupPlan, LaunchSettings, PoolPlan } from '../../topology/index.js'
import { backendOf, nodePlanOf, type WeightsContext } from './weights.js'

/** Weights that are not where a launch will look for them. */
export interface WantedWeights {
  /** As the engine's plugin names them: what `lb models pull` takes. */
  readonly model: string
  readonly pool: PoolPlan
  readonly group: GroupPlan
  /** That the engine would get: where its cache is, what it may read. Of one on another machine, what is declared for it. */
  readonly env: Readonly<Record<string, string>>
}

/** Fetches weights that engines cannot fetch without being launched: from a hub, into the place where the engine looks. False: it knows no way. */
export type WeightsFetcher = (wanted: WantedWeights, options: Pick<FetchOptions, 'signal' | 'onProgress'>) => Promise<boolean>

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
  if (group.host !== undefined) return fetchThere({ pool, group, launch: group.launch }, context, options)
  const { backend, plan, env } = await prepareLaunch(nodePlanOf(pool, group), 1, nowhere, context)
  const isOwnCommandLine = hasOwnCommandLine(group.launch)
  const found = await preflight({
    backend,
    engine: group.engine,
    command: plan.command,
    path: env['PATH'],
    isOwnCommandLine,
    clock: context.clock,
  })
  const wrong = found.find(({ severity }) => severity === 'error')
  if (wrong !== undefined)
    throw refused(wrong.kind === 'model-missing' ? 'LB_WEIGHTS_MISSING' : 'LB_LAUNCH_REFUSED', wrong.message, wrong.hint)
  const model = await lackOf(backend, options.signal)
  if (model === undefined) return 'here'
  if (!(await brought({ model, pool, group, env }, options)))
    throw refused(
      'LB_WEIGHTS_MISSING',
      `${model} is not here: a node would be gone while it is fetched`,
      `lb models pull ${model} --pool ${pool.name}`,
    )
  // A repository of an odd make may look unfinished when it is whole.
  if ((await lackOf(backend, options.signal)) === undefined) return 'fetched'
  context.log.warn('revisions.fetched_elsewhere', { pool: pool.name, group: group.name, model })
  options.onProgress({ step: `${model} was fetched, and is not where its engine is known to look: it may fetch it again` })
  return 'fetched'
}

/**
 * On another machine nobody can look from here, and what cannot be fetched there may lie there already, or be fetched by its engine: so it is tried, and said where it
 * did not work.
 */
async function fetchThere(
  { pool, group, launch }: { readonly pool: PoolPlan; readonly group: GroupPlan; readonly launch: LaunchSettings },
  context: WeightsContext,
  { fetcher, signal, onProgress }: FetchOptions,
): Promise<'here' | 'fetched'> {
  const { toFetch, models } = backendOf(pool, group, context)
  const isFromHub = toFetch !== undefined && models?.pull === undefined
  if (!isFromHub || fetcher === undefined || launch.model === undefined) return 'here'
  const env = Object.fromEntries(Object.entries(launch.env).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))
  try {
    return (await fetcher({ model: launch.model, pool, group, env }, { signal, onProgress })) ? 'fetched' : 'here'
  } catch (error) {
    signal.throwIfAborted()
    context.log.warn('revisions.not_fetched_there', { pool: pool.name, group: group.name, error: messageOf(error) })
    onProgress({ step: `${messageOf(error)}; the engine over there may have it, or fetches it itself` })
    return 'here'
  }
}

function nowhere(backend: Backend): Promise<LaunchSlot> {
  const extraPorts = Array.from({ length: backend.extraPorts ?? 0 }, (_, index) => index + 2)
  return Promise.resolve({ host: '127.0.0.1', port: 1, replica: 0, extraPorts })
}

/** What would have to be fetched. A plugin that cannot tell has nothing to say against the launch. */
async function lackOf(backend: Backend, signal: AbortSignal): Promise<string | undefined> {
  try {
    const told: unknown = await backend.toFetch?.(signal)
    return typeof told === 'string' && told !== '' ? told : undefined
  } catch {
    return undefined
  }
}

/** By a server of its kind that runs, or from a hub. */
async function brought(wanted: WantedWeights, options: FetchOptions): Promise<boolean> {
  const { running, fetcher } = options
  if (running?.models?.pull === undefined) return (await fetcher?.(wanted, options)) ?? false
  await pull(running, wanted.model, options)
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

function refused(code: string, message: string, hint: string): LbError {
  return new LbError(message, { code, source: 'operator', httpStatus: 422, hint })
}
