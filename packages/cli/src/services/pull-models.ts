import { isLbError, LbError, messageOf } from '@plimsoll/core'
import { hubSettings, parseHubReference, pullRepository, type HubReference } from '../hub/index.js'
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
  const { commit, contentHash, folder, bytes, fetchedBytes } = await pullRepository({
    reference: wish.reference,
    settings: hubSettings({ ...process.env, ...wish.env }),
    ...(wish.gguf === undefined ? {} : { gguf: wish.gguf }),
    ...(options.to === undefined ? {} : { to: options.to }),
    include: options.include ?? [],
    exclude: options.exclude ?? [],
    signal,
    onProgress: ({ file, doneBytes, totalBytes }) => options.onProgress({ model, step: file, doneBytes, totalBytes }),
  })
  return { model, by: 'hub', nodes, contentHash, commit, folder, bytes, fetchedBytes }
}
