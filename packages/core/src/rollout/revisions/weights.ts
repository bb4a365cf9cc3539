import type { Clock } from '../../base/index.js'
import type { Backend, Logger } from '../../contracts/index.js'
import { LbError, messageOf } from '../../errors/index.js'
import { createBackend, prepareLaunch, weightsThere, type BackendContext, type NodePlan, type WeightsTold } from '../../nodes/index.js'
import { nodeIdOf, slotsOf, type GroupPlan, type PoolPlan } from '../../topology/index.js'
import type { StoredRevision } from './stored-revision.js'

export interface WeightsContext extends BackendContext {
  readonly clock: Clock
  readonly log: Logger
}

const CONTENT_WITHIN_MS = 6_000
const LONGEST_CONTENT = 200
/** Nobody listens there: a backend that is asked before its engine runs knows its files only. */
const NOWHERE = 'http://127.0.0.1:1'

/** What a group's weights are right now, by its engine's word; null: it does not tell, or they are not here yet. Never throws. */
export async function contentOf(pool: PoolPlan, group: GroupPlan, context: WeightsContext): Promise<string | null> {
  return (await toldContent(pool, group, context)).content
}

export interface ToldContent {
  readonly content: string | null
  /** Why nobody can tell, where that is known. */
  readonly unknown: string | null
}

/** The same with what stands in the way. Never throws. */
export async function toldContent(pool: PoolPlan, group: GroupPlan, context: WeightsContext): Promise<ToldContent> {
  if (group.source !== undefined) return { content: null, unknown: 'its servers are run by somebody else' }
  if (group.host === undefined) return { content: await contentHere(pool, group, context), unknown: null }
  const told = await lookThere(pool, group, context, {})
  return 'content' in told ? { content: told.content, unknown: null } : { content: null, unknown: told.untold }
}

/** Its plugin would look at the files of this machine: it says where they lie, and core looks there. */
async function lookThere(
  pool: PoolPlan,
  group: GroupPlan,
  context: WeightsContext,
  options: { readonly signal?: AbortSignal; readonly isWhole?: boolean },
): Promise<WeightsTold> {
  try {
    return await weightsThere(group, backendOf(pool, group, context).weightsThere?.(), { env: context.env, ...options })
  } catch (error) {
    return { untold: messageOf(error) }
  }
}

async function contentHere(pool: PoolPlan, group: GroupPlan, context: WeightsContext): Promise<string | null> {
  const abort = new AbortController()
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = context.clock.after(CONTENT_WITHIN_MS, () => {
    resolve(undefined)
    abort.abort()
  })
  try {
    const told: unknown = await Promise.race([backendOf(pool, group, context).content?.(abort.signal), late])
    return typeof told === 'string' && told !== '' ? told.slice(0, LONGEST_CONTENT) : null
  } catch (error) {
    context.log.info('revisions.content_unknown', { pool: pool.name, group: group.name, error: messageOf(error) })
    return null
  } finally {
    timer.cancel()
  }
}

/** `sha256:<hex>` over all bytes of the weights; may take minutes. Null: the engine does not tell, or `signal` ended it. Never throws. */
export async function contentHashOf(
  pool: PoolPlan,
  group: GroupPlan,
  context: WeightsContext,
  signal: AbortSignal,
): Promise<string | null> {
  if (group.source !== undefined) return null
  if (group.host !== undefined) {
    const told = await lookThere(pool, group, context, { signal, isWhole: true })
    return 'content' in told && told.content.startsWith('sha256:') ? told.content : null
  }
  try {
    const told: unknown = await backendOf(pool, group, context).contentHash?.(signal)
    return typeof told === 'string' && told !== '' ? told.slice(0, LONGEST_CONTENT) : null
  } catch (error) {
    if (!signal.aborted) context.log.info('revisions.hash_unknown', { pool: pool.name, group: group.name, error: messageOf(error) })
    return null
  }
}

/** Of command, arguments and environment as a launch would have them now, whatever its port; null: nothing would be launched, or it could not be. */
export async function launchHashOf(pool: PoolPlan, group: GroupPlan, context: WeightsContext): Promise<string | null> {
  if (group.launch === undefined) return null
  const slot = (backend: Backend) => ({
    host: '127.0.0.1',
    port: 1,
    replica: 0,
    extraPorts: Array.from({ length: backend.extraPorts ?? 0 }, (_, index) => index + 2),
  })
  try {
    const { hash } = await prepareLaunch(nodePlanOf(pool, group), 1, (backend) => Promise.resolve(slot(backend)), context)
    return hash
  } catch {
    return null
  }
}

export interface Relaunch {
  /** What to launch, under the name of the declared group. */
  readonly group: GroupPlan
  /** What differs from the first time, for an event; null: nothing. */
  readonly note: string | null
}

/**
 * What to launch so that a revision comes back as it was: its very plan while its name still means the same weights; else the plan held to its weights, where
 * the engine can do that. Throws LB_MODEL_MOVED (409) where the same name would bring other weights.
 */
export async function relaunchOf(stored: StoredRevision, pool: PoolPlan, context: WeightsContext): Promise<Relaunch> {
  const { plan, content } = stored
  if (content === null) return { group: plan, note: null }
  const now = await contentOf(pool, plan, context)
  const isSame = now === content && !(await isOtherWhole(stored, pool, context))
  if (isSame) return { group: plan, note: null }
  const pinned = pinnedPlan(stored, pool, context)
  const there = pinned === undefined ? null : await contentOf(pool, pinned, context)
  if (pinned !== undefined && there === content)
    return { group: pinned, note: `${nameOf(plan)} has moved since ${stored.revision}; it is launched by its content, ${content}` }
  // They may have to be fetched again: by their content that brings the same ones.
  if (now === null) return { group: pinned !== undefined && there === null ? pinned : plan, note: null }
  const what = now === content ? 'its bytes are others' : `it was ${content}, and is ${now}`
  throw new LbError(`${nameOf(plan)} is no longer what ${stored.revision} launched: ${what}`, {
    code: 'LB_MODEL_MOVED',
    source: 'operator',
    httpStatus: 409,
    hint: `bring the old weights back under a name of their own, then \`lb rollout start ${pool.name} --model NAME\``,
  })
}

const WHOLE_WITHIN_MS = 2_000

/** Where all bytes were counted once, and again since: the second time is at once, or it is left. */
async function isOtherWhole({ plan, contentHash }: StoredRevision, pool: PoolPlan, context: WeightsContext): Promise<boolean> {
  if (contentHash === null) return false
  const abort = new AbortController()
  const timer = context.clock.after(WHOLE_WITHIN_MS, () => abort.abort())
  const now = await contentHashOf(pool, plan, context, abort.signal)
  timer.cancel()
  return now !== null && now !== contentHash
}

function pinnedPlan({ plan, content }: StoredRevision, pool: PoolPlan, context: WeightsContext): GroupPlan | undefined {
  const pin = content === null ? undefined : quietly(() => backendOf(pool, plan, context).pin?.(content))
  if (pin === undefined) return undefined
  const { launch } = plan
  const { weights, settings, model } = pin
  if (launch === undefined) return model === undefined ? undefined : { ...plan, model }
  return {
    ...plan,
    ...(model === undefined ? {} : { model }),
    launch: { ...launch, ...(weights === undefined ? {} : { model: weights }), settings: { ...launch.settings, ...settings } },
  }
}

function quietly<Value>(ask: () => Value): Value | undefined {
  try {
    return ask()
  } catch {
    return undefined
  }
}

function nameOf({ launch, model, engine }: GroupPlan): string {
  return launch?.model ?? model ?? engine
}

/** The backend of a group's first replica: of an attached one at its server, of another one for what it knows without an engine. */
export function backendOf(pool: PoolPlan, group: GroupPlan, context: WeightsContext): Backend {
  return createBackend(nodePlanOf(pool, group), group.attach?.url ?? NOWHERE, context).backend
}

/** A group's first replica as a node. */
export function nodePlanOf(pool: PoolPlan, group: GroupPlan): NodePlan {
  const replica = slotsOf(group)[0] ?? 0
  const id = nodeIdOf(pool, group, replica)
  return { id, name: id.slice(pool.name.length + 1), pool, group, replica }
}
