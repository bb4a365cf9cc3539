import { join } from 'node:path'
import { createPluginHost, createStrategyRegistry, planGpus, resolveTopology, silentLogger } from '@plimsoll/core'
import { installedEngines, loadEngines } from './engine-catalogue.js'
import type { Proposal } from './init-topology.js'

/** Gives the engine of a proposal one GPU for each replica, where this machine has one that is free and large enough; else it sees what it would see without Plimsoll. */
export async function withGpus(proposal: Proposal, cwd: string, pluginRoots: readonly string[]): Promise<Proposal> {
  if (proposal.gpuText === undefined) return proposal
  try {
    return (await canPlace(proposal, proposal.gpuText, { cwd, pluginRoots })) ? { ...proposal, text: proposal.gpuText } : proposal
  } catch {
    // A proposal without GPUs is one too; lb plan says what is wrong with the drivers.
    return proposal
  }
}

interface Where {
  readonly cwd: string
  readonly pluginRoots: readonly string[]
}

async function canPlace({ name }: Proposal, text: string, { cwd, pluginRoots }: Where): Promise<boolean> {
  const installed = installedEngines(pluginRoots).engines.get(name)
  const engines = new Map((await loadEngines(installed === undefined ? [] : [installed])).map((plugin) => [plugin.engine, plugin]))
  const source = { kind: 'text', file: join(cwd, 'lb.yaml'), shown: 'lb.yaml', format: 'yaml', text } as const
  const topology = await resolveTopology(source, { engines, strategies: createStrategyRegistry().catalogue })
  const { placements } = await planGpus(topology, { engines, host: createPluginHost(silentLogger), env: process.env })
  const found = [...placements.values()]
  return found.length > 0 && found.every(({ gpus, refusal }) => refusal === undefined && gpus.length > 0)
}
