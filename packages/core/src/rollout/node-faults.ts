import type { RolloutNode } from './rollout-world.js'

/** What both sides are, for the questions that need no traffic. */
export interface NodeSides {
  readonly fresh: readonly RolloutNode[]
  readonly old: readonly RolloutNode[]
  /** Somebody wants it as it is: only nodes that end speak against it. */
  readonly isPromoted: boolean
  /** Names that clients may ask for. */
  readonly models: readonly string[]
  /** Failures of nodes before this rollout had anything to do with them, by id. */
  readonly before: Readonly<Record<string, number>>
  /** Of the old revision when the rollout began, where it has no nodes any more; null: nobody told. */
  readonly contextBefore: number | null
}

/** Why the new revision cannot stay, by what its nodes are; undefined: nothing speaks against it. */
export function nodeFault(sides: NodeSides): string | undefined {
  return ended(sides) ?? (sides.isPromoted ? undefined : (wrongModel(sides) ?? smallerContext(sides)))
}

/** A process that ended, or a load that got nowhere: also where lb would start it again. */
function ended({ fresh, before }: NodeSides): string | undefined {
  const node = fresh.find(({ id, state, failures }) => state === 'failed' || failures > (before[id] ?? 0))
  if (node === undefined) return undefined
  return `${node.id} failed: ${node.reason ?? 'its engine ended'}`
}

/** It serves under another name than the one that requests bear. Where the old nodes do so too, that is how these servers are. */
function wrongModel({ fresh, old, models }: NodeSides): string | undefined {
  if (old.some((node) => isReady(node) && !answersTo(node, models))) return undefined
  const node = fresh.find((each) => isReady(each) && !answersTo(each, models))
  if (node === undefined) return undefined
  return `${node.id} serves ${node.models.slice(0, 5).join(', ')}, and not ${nameFor(node, models)}`
}

function smallerContext({ fresh, old, contextBefore }: NodeSides): string | undefined {
  const now = old.flatMap(({ contextTokens }) => contextTokens ?? [])
  const known = now.length > 0 ? now : contextBefore === null ? [] : [contextBefore]
  if (known.length === 0) return undefined
  const least = Math.min(...known)
  const node = fresh.find((each) => isReady(each) && each.contextTokens !== undefined && each.contextTokens < least)
  if (node === undefined) return undefined
  return `${node.id} takes ${node.contextTokens} tokens of context, the old revision ${least}`
}

function isReady({ state }: RolloutNode): boolean {
  return state === 'ready'
}

/** One that does not say what it serves may serve anything. */
function answersTo(node: RolloutNode, models: readonly string[]): boolean {
  if (node.models.length === 0) return true
  const names = node.model === undefined ? models : [node.model]
  return names.some((name) => node.models.some((served) => served === name || served.startsWith(`${name}:`)))
}

function nameFor({ model }: RolloutNode, models: readonly string[]): string {
  return model ?? models[0] ?? ''
}
