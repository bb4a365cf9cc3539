import type { ModelKeeper } from '@plimsoll/core'
import { parseHubReference, type HubReference, type SshPlace } from '../hub/index.js'
import type { SkippedNode } from '../views/pull-report.js'
import type { ModelNode } from './model-nodes.js'

/** One thing to fetch, and for whom. */
export type PullWish = { readonly model: string; readonly nodes: readonly string[] } & (
  | { readonly from: 'engine'; readonly keeper: ModelKeeper }
  | {
      readonly from: 'hub'
      readonly reference: HubReference
      readonly gguf?: boolean
      /** Variables of the node that say where its cache is. */
      readonly env?: Readonly<Record<string, string>>
      /** The machine of the engine, where that is another one. */
      readonly place?: SshPlace
    }
)

export interface WishOptions {
  readonly model: string | undefined
  /** The user said which pool or node. */
  readonly isChosen: boolean
  readonly env: NodeJS.ProcessEnv
}

/** What these nodes need fetched: each server is asked once, each repository comes once into each cache. */
export function pullWishes(
  nodes: readonly ModelNode[],
  options: WishOptions,
): { wishes: readonly PullWish[]; skipped: readonly SkippedNode[] } {
  const found = nodesMeant(nodes, options).flatMap((node) => wishesOf(node, options.model))
  const wishes = new Map<string, PullWish>()
  for (const each of found) {
    if ('why' in each) continue
    const before = wishes.get(each.key)
    const { key, wish } = each
    wishes.set(key, before === undefined ? wish : { ...before, nodes: [...before.nodes, ...wish.nodes] })
  }
  const orphan = found.length === 0 ? hubWish(options.model) : undefined
  return { wishes: [...wishes.values(), ...(orphan === undefined ? [] : [orphan])], skipped: found.filter((each) => 'why' in each) }
}

type Found = { readonly key: string; readonly wish: PullWish } | SkippedNode

/** A model that is named alone goes to the nodes that use it; where none does, to every server that keeps its own, unless a hub has it. */
function nodesMeant(nodes: readonly ModelNode[], { model, isChosen }: WishOptions): readonly ModelNode[] {
  if (model === undefined || isChosen) return nodes
  const users = nodes.filter((node) => modelsOf(node).some((name) => isAlike(name, model)))
  if (users.length > 0) return users
  return parseHubReference(model) === undefined ? nodes.filter(({ backend }) => backend?.models?.pull !== undefined) : []
}

function wishesOf(node: ModelNode, model: string | undefined): readonly Found[] {
  const { id, group, backend, url, fault } = node
  const models = model === undefined ? modelsOf(node) : [model]
  if (backend === undefined) return [{ node: id, why: fault ?? 'its plugin does not know it' }]
  const keeper = backend.models
  if (keeper?.pull !== undefined) {
    if (url === undefined) return [{ node: id, why: 'it does not run; lb up has it fetch what is missing' }]
    return models.map((name) => ({ key: `${url} ${name}`, wish: { model: name, nodes: [id], from: 'engine', keeper } }))
  }
  if (group.launch === undefined) return [{ node: id, why: 'its server was attached; whoever runs it fetches its models' }]
  return models.map((name) => fromHub(node, name))
}

function fromHub({ id, group }: ModelNode, model: string): Found {
  const reference = parseHubReference(model)
  if (reference === undefined) return { node: id, why: `\`${model}\` is no model of a hub` }
  const { settings = {}, env = {} } = group.launch ?? {}
  const { revision } = settings as { revision?: unknown }
  const named = { ...reference, ...(reference.revision === undefined && typeof revision === 'string' ? { revision } : {}) }
  const own = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))
  const isGguf = reference.quant !== undefined || model.startsWith('hf:')
  const place = group.host === undefined ? {} : { place: placeOf(group.host) }
  const wish: PullWish = { model, nodes: [id], from: 'hub', reference: named, env: own, ...(isGguf ? { gguf: true } : {}), ...place }
  return { key: JSON.stringify([named, own['HF_HOME'], own['HF_HUB_CACHE'], isGguf, group.host?.ssh]), wish }
}

function placeOf({ ssh, sshConfig, venv }: NonNullable<ModelNode['group']['host']>): SshPlace {
  return { ...ssh, ...(sshConfig === undefined ? {} : { configFile: sshConfig }), ...(venv === undefined ? {} : { venv }) }
}

function hubWish(model: string | undefined): PullWish | undefined {
  const reference = model === undefined ? undefined : parseHubReference(model)
  return reference === undefined || model === undefined ? undefined : { model, nodes: [], from: 'hub', reference }
}

/** The weights that a node loads, else the names that it answers to there. */
function modelsOf({ group, pool, backend }: ModelNode): readonly string[] {
  const weights = group.launch?.model
  if (weights !== undefined) return [weights]
  if (group.model !== undefined) return [group.model]
  // Names that clients use say nothing about files; only a server that keeps its own models reads them so.
  return backend?.models?.pull === undefined ? [] : pool.models
}

function isAlike(name: string, wanted: string): boolean {
  const plain = (text: string): string => text.toLowerCase().replace(/:latest$/, '')
  return plain(name) === plain(wanted)
}
