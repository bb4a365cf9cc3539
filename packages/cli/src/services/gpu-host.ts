import { parseSshDestination, type GpuHost } from '@plimsoll/core'
import { prepareTopology, type PrepareOptions } from './prepare-topology.js'

/** The machine that is meant: one of the topology's hosts where it has that name, else an address for ssh. */
export async function gpuHost(name: string, options: PrepareOptions): Promise<GpuHost> {
  // Whoever looks at a machine need not have a topology, or a finished one.
  const topology = await prepareTopology(options).then(
    (prepared) => prepared.topology,
    () => undefined,
  )
  const hosts = topology?.pools.flatMap((pool) => pool.groups.flatMap((group) => group.host ?? [])) ?? []
  return hosts.find((host) => host.name === name) ?? { name, ssh: parseSshDestination(name) }
}
