import { silentLogger } from '../contracts/index.js'
import { withMembers, type Topology } from '../topology/index.js'
import { Discovery, type SourceReport } from './discovery.js'
import { systemClock, systemRandom } from '../base/index.js'

export interface AskedSources {
  /** With the members that were told. */
  readonly topology: Topology
  readonly sources: readonly (SourceReport & { readonly pool: string })[]
}

/** Asks every source once, for plans; waits at most so long. */
export async function askSources(
  topology: Topology,
  options: { readonly env: NodeJS.ProcessEnv; readonly waitMs: number },
): Promise<AskedSources> {
  const seams = {
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    stateDir: undefined,
    onMembers: () => undefined,
    onHealth: () => undefined,
  }
  const discovery = new Discovery({ ...seams, env: options.env })
  discovery.use(topology)
  try {
    await discovery.firstAnswers(options.waitMs)
    const sources = topology.pools.flatMap(({ name }) => discovery.reports(name).map((report) => ({ ...report, pool: name })))
    return { topology: withMembers(topology, discovery.members()), sources }
  } finally {
    discovery.stop()
  }
}
