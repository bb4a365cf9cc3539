import { isLbError, LbError, messageOf } from '@plimsoll/core'
import { hubSettings, parseHubReference, pullOverSsh, pullRepository, type HubReference, type SshPlace } from '../hub/index.js'
import type { ModelProgress, PulledModel, PullReport, SkippedNode } from '../views/pull-report.js'
import { wrongInput } from '../wrong-input.js'
import { isNamed } from './list-models.js'
import { modelNodes, type ModelNode, type ModelsQuery } from './model-nodes.js'
import { pullWishes, type PullWish } from './pull-wishes.js'

export interface PullModelsOptions extends ModelsQuery {
  /** Instead of what the topology names. */
  readonly model?: string | undefined
  readonly pool?: string | undefined
  readonly node?: string | undefined
  /** A plain folder instead of the cache; for files of a hub. */
  readonly to?: string | undefined
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  readonly signal: AbortSignal
  readonly onProgress: (progress: ModelProgress) => void
}

/** Fetches the models that nodes want: by the servers that keep their own, from a hub for the others. One that fails does not keep the others from coming. */
export async function pullModels(options: PullModelsOptions): Promise<PullReport> {
  const { wishes, skipped } = await wanted(options)
  const pulled: PulledModel[] = []
  const failed: PullReport['failed'][number][] = []
  for (const wish of wishes) {
    const { model, nodes } = wish
    try {
      pulled.push(await pullOne(wish, options))
    } catch (error) {
      options.signal.throwIfAborted()
      // Alone it is the command's own failure, with its code.
      if (wishes.length === 1) throw error
      const { code, hint } = isLbError(error) ? error : new LbError(messageOf(error), { code: 'LB_PULL_FAILED', source: 'engine' })
      failed.push({ model, nodes, code, message: messageOf(error), hint: hint ?? null })
    }
  }
  return { pulled, failed, skipped }
}

async function wanted(options: PullModelsOptions): Promise<{ wishes: readonly PullWish[]; skipped: readonly SkippedNode[] }> {
  const { model, pool, node } = options
  const reference = model === undefined ? undefined : parseHubReference(model)
  const nodes = await nodesFor(options, reference)
  if (nodes === undefined)
    return { wishes: [{ model: model ?? '', nodes: [], from: 'hub', reference: reference as HubReference }], skipped: [] }
  const meant = nodes.filter((each) => (pool === undefined || each.pool.name === pool) && (node === undefined || isNamed(each.id, node)))
  if (meant.length === 0)
    throw wrongInput(
      `there is no ${node === undefined ? `pool ${pool ?? ''}` : `node ${node}`}`,
      `nodes are: ${nodes.map(({ id }) => id).join(', ')}`,
    )
  return pullWishes(meant, { model, isChosen: pool !== undefined || node !== undefined, env: process.env })
}

/** A model of a hub can be fetched without any topology: then undefined. */
async function nodesFor(options: PullModelsOptions, reference: HubReference | undefined): Promise<readonly ModelNode[] | undefined> {
  try {
    return await modelNodes(options)
  } catch (error) {
    const isAlone = options.pool === undefined && options.node === undefined && options.file === undefined && options.name === undefined
    if (isAlone && reference !== undefined && isLbError(error) && error.code === 'LB_TOPOLOGY_NOT_FOUND') return undefined
    throw error
  }
}

async function pullOne(wish: PullWish, options: PullModelsOptions): Promise<PulledModel> {
  const { model, nodes } = wish
  const { signal } = options
  if (wish.from === 'engine') {
    const onProgress = (progress: { step: string; doneBytes?: number; totalBytes?: number }): void =>
      options.onProgress({ model, ...progress })
    const { contentHash = null } = (await wish.keeper.pull?.(model, { signal, onProgress })) ?? {}
    return { model, by: 'engine', nodes, contentHash }
  }
  return wish.place === undefined ? fromHub(wish, options) : overSsh(wish, wish.place, options)
}

type HubWish = Extract<PullWish, { from: 'hub' }>

async function fromHub(wish: HubWish, options: PullModelsOptions): Promise<PulledModel> {
  const { model, nodes } = wish
  const { commit, contentHash, folder, bytes, fetchedBytes } = await pullRepository({
    ...fileWish(wish, options),
    ...(options.to === undefined ? {} : { to: options.to }),
    onProgress: ({ file, doneBytes, totalBytes }) => options.onProgress({ model, step: file, doneBytes, totalBytes }),
  })
  return { model, by: 'hub', nodes, contentHash, commit, folder, bytes, fetchedBytes }
}

async function overSsh(wish: HubWish, place: SshPlace, options: PullModelsOptions): Promise<PulledModel> {
  const { model, nodes, env: variables = {} } = wish
  if (options.to !== undefined) throw wrongInput(`--to means a folder here, and ${nodes.join(', ')} runs on ${place.host}`, 'leave it out')
  const onStep = (step: string): void => options.onProgress({ model, step: `${place.host}: ${step}` })
  const { commit, contentHash, folder, bytes } = await pullOverSsh({ ...fileWish(wish, options), place, variables, onStep })
  return { model, by: 'hub', nodes, contentHash, commit, folder: `${place.host}:${folder}`, bytes }
}

function fileWish({ reference, gguf, env }: HubWish, { include = [], exclude = [], signal }: PullModelsOptions) {
  const settings = hubSettings({ ...process.env, ...env })
  return { reference, settings, include, exclude, signal, ...(gguf === undefined ? {} : { gguf }) }
}
