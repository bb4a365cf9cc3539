import { presetNames, type PresetName } from '@plimsoll/engine-model'
import { LbError, type StrategyRegistry } from '@plimsoll/core/routing'
import type { Answered } from './measures.js'
import type { SimulatedScale } from './scaling/simulated-scale.js'
import type { Workload } from './workload.js'

/** One modelled engine of the fleet. */
export interface SimulatedNode {
  readonly preset: PresetName
  /** Every step takes this many times longer; default 1. */
  readonly slowness?: number
  /** Relative capacity as the topology would say it; default 1. */
  readonly weight?: number
  readonly zone?: string
  /** Per million tokens. */
  readonly price?: { readonly promptPerMillion: number; readonly outputPerMillion: number }
}

/** What happens to a node, by its place in the list of nodes. */
export type Fault =
  /** The process dies with all that it works on, and comes back empty after so long; default 30 s. */
  | { readonly kind: 'crash'; readonly atMs: number; readonly node: number; readonly backAfterMs?: number }
  /** Takes so many times longer than its preset from now on. */
  | { readonly kind: 'slow'; readonly atMs: number; readonly node: number; readonly slowness: number }
  /** As fast as at the start again. */
  | { readonly kind: 'recover'; readonly atMs: number; readonly node: number }

/**
 * How the balancer knows what caches hold: not at all; by a mirror of what was sent; or `exact`, the engine's own state at the moment of asking,
 * which stands for its events over a fast network.
 */
export type BeliefKind = 'none' | 'mirror' | 'exact'

export interface StrategyChoice {
  readonly name: string
  readonly settings?: Readonly<Record<string, unknown>>
}

export interface SimulationOptions {
  readonly nodes: readonly SimulatedNode[]
  readonly workload: Workload
  readonly strategy: StrategyChoice
  /** Multiple of the workload's own rate: session starts come so many times faster, pauses inside sessions stay. Default 1. */
  readonly rate?: number
  /** Of all chance in the balancer; the workload has a seed of its own. Default 1. */
  readonly seed?: number
  readonly faults?: readonly Fault[]
  /** Default `mirror`. */
  readonly beliefKind?: BeliefKind
  /** How often each engine is asked for its load; 0 = never. Default 200. */
  readonly pollMs?: number
  /** One way, between balancer and engines. Default 1. */
  readonly networkMs?: number
  /** Each request's objective for its first token; default: none. */
  readonly sloTtftMs?: number
  /** First part of the requests that the figures leave out. Default 0.2. */
  readonly warmupShare?: number
  /** Whether what is sent after the last session began counts too: the load fades there, but all that was asked is in it. Default: no. */
  readonly toTheEnd?: boolean
  /** No session begins once so many requests were sent. Default: no limit. */
  readonly maxRequests?: number
  /** How many of the nodes there are, over time; default: all of them. */
  readonly scale?: SimulatedScale
  /** Told of each answer, in order of its end. */
  readonly onAnswered?: (answer: Answered) => void
  /** Where strategies come from; default: the built-in ones. */
  readonly registry?: StrategyRegistry
}

/** Throws LB_SIMULATION_OPTIONS, naming the option. */
export function checkOptions({
  nodes,
  rate = 1,
  pollMs = 200,
  networkMs = 1,
  warmupShare = 0,
  maxRequests = 1,
  sloTtftMs = 1,
  faults = [],
  scale,
}: SimulationOptions): void {
  if (nodes.length === 0) throw wrong('nodes', 'at least one is needed')
  for (const [at, node] of nodes.entries()) {
    if (!presetNames.includes(node.preset)) throw wrong(`nodes[${at}].preset`, `"${node.preset}" is not one of ${presetNames.join(', ')}`)
    checkOver0(`nodes[${at}].slowness`, node.slowness ?? 1)
    checkOver0(`nodes[${at}].weight`, node.weight ?? 1)
  }
  checkOver0('rate', rate)
  checkOver0('maxRequests', maxRequests)
  checkOver0('sloTtftMs', sloTtftMs)
  checkTime('pollMs', pollMs)
  checkTime('networkMs', networkMs)
  if (!(warmupShare >= 0 && warmupShare < 1)) throw wrong('warmupShare', `${warmupShare} is not from 0 to below 1`)
  if (scale !== undefined) checkScale(scale, nodes.length)
  for (const [at, fault] of faults.entries()) checkFault(`faults[${at}]`, fault, nodes.length)
}

function checkFault(where: string, fault: Fault, nodes: number): void {
  checkTime(`${where}.atMs`, fault.atMs)
  if (!Number.isInteger(fault.node) || fault.node < 0 || fault.node >= nodes)
    throw wrong(`${where}.node`, `${fault.node} is none of the nodes 0 to ${nodes - 1}`)
  if (fault.kind === 'slow') checkOver0(`${where}.slowness`, fault.slowness)
  if (fault.kind === 'crash') checkTime(`${where}.backAfterMs`, fault.backAfterMs ?? 0)
}

function checkScale(scale: SimulatedScale, nodes: number): void {
  checkTime('scale.startMs', scale.startMs)
  const counts = scale.kind === 'schedule' ? scale.ready.map((each) => each.nodes) : [scale.plan.min, scale.from ?? scale.plan.min]
  for (const count of counts)
    if (!Number.isInteger(count) || count < 1 || count > nodes) throw wrong('scale', `${count} is none of 1 to ${nodes} nodes`)
}

function checkOver0(what: string, value: number): void {
  if (!(value > 0 && value < Infinity)) throw wrong(what, `${value} is not a number over 0`)
}

function checkTime(what: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw wrong(what, `${value} is not a time of 0 or more`)
}

function wrong(what: string, why: string): LbError {
  return new LbError(`This cannot be simulated: ${what}: ${why}.`, {
    code: 'LB_SIMULATION_OPTIONS',
    source: 'operator',
    hint: 'See `lb simulate --help` for what can be set.',
  })
}
