import { seededRandom, systemClock } from '../base/index.js'
import { silentLogger } from '../contracts/index.js'
import type { AttachSource, Member, Topology } from '../topology/index.js'
import { Discovery, type SourceReport } from './discovery.js'

/** A topology of pool `p` with the group `g` and nothing else that discovery looks at. */
export function topologyWith(source: AttachSource): Topology {
  return { pools: [{ name: 'p', groups: [{ name: 'g', engine: 'x', weight: 1, source }] }] } as unknown as Topology
}

/** A discovery that watches one source, and what it has told. */
export class Watched {
  /** Member lists as they were told. */
  readonly told: (readonly Member[])[] = []
  /** What people were told. */
  readonly said: string[] = []
  readonly discovery: Discovery

  constructor(source: AttachSource, { stateDir, env = {} }: { stateDir?: string; env?: NodeJS.ProcessEnv } = {}) {
    this.discovery = new Discovery({
      clock: systemClock,
      random: seededRandom(1),
      log: silentLogger,
      env,
      stateDir,
      onMembers: () => void this.told.push(this.members),
      onHealth: (message) => void this.said.push(message),
    })
    this.discovery.use(topologyWith(source))
  }

  get members(): readonly Member[] {
    return this.discovery.members().get('p/g') ?? []
  }

  get urls(): readonly string[] {
    return this.members.map(({ url }) => url)
  }

  get report(): SourceReport {
    const [report] = this.discovery.reports('p')
    if (report === undefined) throw new Error('nothing is watched')
    return report
  }
}
