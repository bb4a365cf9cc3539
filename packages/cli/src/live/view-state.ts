import type { BalancerEvent, BalancerStatus, NodeStatus, PoolStatus, RolloutVerb } from '@plimsoll/core'
import { nodesInOrder, type Tone } from '../views/board/index.js'
import type { LiveMode } from './live-client.js'

export type Pane = 'events' | 'details' | 'logs' | 'why' | 'help'

/** What a person can ask of a node or of the rollout in a pool. */
export type Wanted =
  | { readonly kind: 'drain' | 'resume' | 'restart'; readonly nodeId: string }
  | { readonly kind: 'rollout'; readonly pool: string; readonly verb: RolloutVerb }

/** A question that takes all keys until it is answered. */
export type Prompt =
  | { readonly kind: 'filter' }
  | { readonly kind: 'confirm'; readonly wanted: Wanted; readonly consequence: string }
  | { readonly kind: 'quit' }

export interface LogTail {
  readonly nodeId: string
  readonly lines: readonly string[]
  /** Why there is nothing to show. */
  readonly problem?: string
}

/** Why the newest traced request of a node went there. */
export interface WhyShown {
  readonly nodeId: string
  readonly lines: readonly string[]
}

/** Everything the screen is drawn from, and nothing else. */
export interface ViewState {
  readonly mode: LiveMode
  readonly curl: string
  readonly status?: BalancerStatus
  readonly lost?: { readonly sinceMs: number; readonly reason: string }
  /** Newest first. */
  readonly events: readonly BalancerEvent[]
  readonly selected?: string
  readonly filter: string
  readonly pane: Pane
  readonly showCurl: boolean
  readonly prompt?: Prompt
  readonly notice?: { readonly text: string; readonly tone: Tone }
  readonly log?: LogTail
  readonly why?: WhyShown
  readonly stopping: 'no' | 'draining' | 'forced'
  /** As coarse as what is shown allows: whole minutes at rest, so that an idle screen is not drawn again. */
  readonly nowMs: number
}

export function initialView(mode: LiveMode, curl: string, nowMs: number): ViewState {
  return { mode, curl, events: [], filter: '', pane: 'events', showCurl: true, stopping: 'no', nowMs }
}

/** Pools with the nodes that pass the filter; a pool without any leaves. */
export function visiblePools({ status, filter }: ViewState): readonly PoolStatus[] {
  const pools = status?.pools ?? []
  if (filter === '') return pools
  const wanted = filter.toLowerCase()
  const passes = (node: NodeStatus): boolean =>
    [node.id, node.host, node.engine, node.state].some((text) => text.toLowerCase().includes(wanted))
  return pools.map((pool) => ({ ...pool, nodes: pool.nodes.filter(passes) })).filter((pool) => pool.nodes.length > 0)
}

function visibleNodes(state: ViewState): readonly NodeStatus[] {
  return nodesInOrder(visiblePools(state))
}

export function selectedNode(state: ViewState): NodeStatus | undefined {
  return visibleNodes(state).find((node) => node.id === state.selected)
}

/** The selection held on to while its node is there, else the nearest that is. */
export function withSelection(state: ViewState): ViewState {
  const nodes = visibleNodes(state)
  if (nodes.some((node) => node.id === state.selected)) return state
  const { selected: _gone, ...rest } = state
  return nodes[0] === undefined ? rest : { ...rest, selected: nodes[0].id }
}

/** The selection moved by `step` rows, stopping at the ends. */
export function moveSelection(state: ViewState, step: number): ViewState {
  const nodes = visibleNodes(state)
  const at = nodes.findIndex((node) => node.id === state.selected)
  const target = nodes[Math.min(nodes.length - 1, Math.max(0, at + step))]
  return target === undefined ? state : { ...state, selected: target.id }
}
