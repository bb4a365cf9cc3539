import { isLbError, readNodeModels, type NodeModels } from '@plimsoll/core'
import { wrongInput } from '../wrong-input.js'
import type { ConnectionQuery } from './open-connection.js'
import type { ModelsQuery } from './model-nodes.js'

export interface ListModelsOptions extends ModelsQuery {
  readonly remote?: string | undefined
  readonly pool?: string | undefined
  readonly node?: string | undefined
}

/** What each node serves (LB_WRONG_INPUT for a pool or node that is not there): told by the balancer that runs, else by the attached servers of the topology file. */
export async function listModels(options: ListModelsOptions): Promise<readonly NodeModels[]> {
  const all = (await fromBalancer(options)) ?? (await fromFile(options))
  return chosen(all, options)
}

async function fromBalancer(query: ConnectionQuery): Promise<readonly NodeModels[] | undefined> {
  const { openConnection } = await import('./open-connection.js')
  try {
    const connection = await openConnection(query)
    return await connection.client.models().finally(() => connection.close())
  } catch (error) {
    if (query.remote === undefined && isLbError(error) && error.code === 'LB_NOT_RUNNING') return undefined
    throw error
  }
}

async function fromFile(query: ModelsQuery): Promise<readonly NodeModels[]> {
  const { modelNodes } = await import('./model-nodes.js')
  const nodes = await modelNodes(query)
  return Promise.all(
    nodes.map(async ({ id, pool, group, state, url, backend, fault }) => {
      const known = { pool: pool.name, node: id, engine: group.engine, state, asked: pool.models }
      if (fault !== undefined) return { ...known, models: [], adapters: [], error: fault }
      return readNodeModels(known, url === undefined ? undefined : backend)
    }),
  )
}

function chosen(all: readonly NodeModels[], { pool, node }: ListModelsOptions): readonly NodeModels[] {
  const meant = all.filter((each) => (pool === undefined || each.pool === pool) && (node === undefined || isNamed(each.node, node)))
  if (meant.length > 0 || all.length === 0) return meant
  throw wrongInput(
    `there is no ${node === undefined ? `pool ${pool ?? ''}` : `node ${node}`}`,
    `nodes are: ${all.map((each) => each.node).join(', ')}`,
  )
}

/** `pool/node`, or the node alone. */
export function isNamed(id: string, wanted: string): boolean {
  return id === wanted || id.slice(id.indexOf('/') + 1) === wanted
}
