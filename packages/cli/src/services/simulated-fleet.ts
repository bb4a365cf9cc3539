import type { GroupPlan, PoolPlan } from '@plimsoll/core'
import { presetNames, type PresetName, type SimulatedNode } from '@plimsoll/simulate'
import { wrongInput } from '../wrong-input.js'
import type { LabelledStrategy } from './parse-strategies.js'
import { prepareTopology } from './prepare-topology.js'

export interface FleetFlags {
  readonly cwd: string
  readonly pluginRoots: readonly string[]
  readonly nodes?: string | undefined
  readonly profile?: string | undefined
  /** As typed. */
  readonly slowness?: string | undefined
  readonly topology?: string | undefined
  readonly pool?: string | undefined
}

/** What stands behind the balancer in a simulation. */
export interface Fleet {
  readonly nodes: readonly SimulatedNode[]
  /** For people: `8 nodes 8b-h100`. */
  readonly summary: string
  /** Of the topology's pool. */
  readonly strategy?: LabelledStrategy
  /** Where it stands in the topology. */
  readonly pool?: string
}

const MOST_NODES = 4096
const HINT = 'write --nodes 8 with --profile 8b-h100, or --nodes 4x8b-h100,4x8b-a100'
/** An attached node is one server; nobody knows how many a source will tell. */
const UNKNOWN = 'the nodes of a source are known only while the balancer runs; say how many with --nodes'

/** Nodes from the flags, or from the topology; `--nodes` and `--profile` win over what it says. */
export async function simulatedFleet(flags: FleetFlags, usual: { readonly nodes: number; readonly profile: PresetName }): Promise<Fleet> {
  const profile = flags.profile === undefined ? undefined : presetOf(flags.profile)
  const pool = flags.topology === undefined ? undefined : await poolOf(flags)
  const plain =
    pool === undefined || flags.nodes !== undefined
      ? countedNodes(flags.nodes ?? String(usual.nodes), profile ?? usual.profile)
      : pool.groups.flatMap((group) => nodesOf(group, profile, usual.profile))
  const nodes = slowedDown(plain, flags.slowness)
  if (nodes.length === 0) throw wrongInput('the topology has no nodes to simulate', UNKNOWN)
  if (nodes.length > MOST_NODES) throw wrongInput(`${nodes.length} nodes are too many`, `a simulation holds at most ${MOST_NODES}`)
  return { nodes, summary: summaryOf(nodes), ...(pool === undefined ? {} : { strategy: strategyOf(pool), pool: pool.name }) }
}

/** `--slowness 2`. */
function slowedDown(nodes: readonly SimulatedNode[], text: string | undefined): readonly SimulatedNode[] {
  if (text === undefined) return nodes
  const factor = text.trim() === '' ? Number.NaN : Number(text)
  if (factor >= 0.001 && factor <= 1000) return nodes.map((node) => ({ ...node, slowness: (node.slowness ?? 1) * factor }))
  throw wrongInput(`--slowness ${text} is no factor from 0.001 to 1000`, 'write --slowness 1.5')
}

export function presetOf(text: string): PresetName {
  const found = presetNames.find((name) => name === text)
  if (found !== undefined) return found
  throw wrongInput(`there is no profile ${text}`, `known are ${presetNames.join(', ')}`)
}

function countedNodes(text: string, profile: PresetName): SimulatedNode[] {
  return text.split(',').flatMap((part) => {
    const [, count, own] = /^(\d{1,6})(?:x([\w-]+))?$/.exec(part.trim()) ?? []
    if (count === undefined || Number(count) < 1) throw wrongInput(`--nodes ${text}: "${part}" is no number of nodes`, HINT)
    const preset = own === undefined ? profile : presetOf(own)
    return Array.from({ length: Math.min(Number(count), MOST_NODES + 1) }, () => ({ preset }))
  })
}

async function poolOf({ cwd, pluginRoots, topology: file, pool: name }: FleetFlags): Promise<PoolPlan> {
  const { topology } = await prepareTopology({ cwd, file, pluginRoots })
  const pools = topology.pools.map((pool) => pool.name).join(', ')
  const found = name === undefined && topology.pools.length === 1 ? topology.pools[0] : topology.pools.find((pool) => pool.name === name)
  if (found !== undefined) return found
  throw wrongInput(
    name === undefined ? `the topology has several pools: ${pools}` : `the topology has no pool ${name}`,
    `choose one with --pool: ${pools}`,
  )
}

function strategyOf({ strategy: { name, settings } }: PoolPlan): LabelledStrategy {
  return { name, settings, label: name }
}

function nodesOf(group: GroupPlan, profile: PresetName | undefined, usual: PresetName): SimulatedNode[] {
  if (group.source !== undefined) return []
  const { profile: own, slowness } = group.launch?.settings ?? {}
  const node: SimulatedNode = {
    preset: profile ?? presetNames.find((name) => name === own) ?? usual,
    weight: group.weight,
    ...(typeof slowness === 'number' ? { slowness } : {}),
    ...(group.zone === undefined ? {} : { zone: group.zone }),
    ...(group.price === undefined ? {} : { price: group.price }),
  }
  return Array.from({ length: group.launch?.replicas ?? 1 }, () => node)
}

function summaryOf(nodes: readonly SimulatedNode[]): string {
  const kinds = new Map<string, number>()
  for (const { preset, slowness = 1 } of nodes) {
    const kind = slowness === 1 ? preset : `${preset} at ${Number(slowness.toPrecision(3))}x its step time`
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  const [only] = kinds
  if (only !== undefined && kinds.size === 1) return `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'} ${only[0]}`
  return `${nodes.length} nodes: ${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')}`
}
