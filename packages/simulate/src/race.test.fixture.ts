import { simulate } from './simulate.js'
import type { SimulatedNode, SimulationOptions } from './simulation-options.js'
import type { SimulationResult } from './simulation-result.js'
import type { Workload, WorkloadRequest } from './workload.js'
import { shapeWorkload } from './workloads/shape-workload.js'
import { raceShapes } from './race-shapes.test.fixture.js'

/** Everything of a run but its strategy. */
export interface Course extends Omit<SimulationOptions, 'strategy' | 'workload'> {
  /** Made anew for each run. */
  readonly workload: () => Workload
}

/** Runs strategies over one course, each once, however often it is asked for. */
export class Race {
  private readonly results = new Map<string, SimulationResult>()

  constructor(private readonly course: Course) {}

  of(name: string, settings: Readonly<Record<string, unknown>> = {}): SimulationResult {
    const key = `${name} ${JSON.stringify(settings)}`
    let result = this.results.get(key)
    if (result === undefined) {
      result = simulate({ ...this.course, workload: this.course.workload(), strategy: { name, settings } })
      this.results.set(key, result)
    }
    return result
  }

  /** p90 of the time to the first token. */
  p90(name: string, settings?: Readonly<Record<string, unknown>>): number {
    return this.of(name, settings).ttftMs.p90
  }

  /** Mean time to the last token. */
  mean(name: string, settings?: Readonly<Record<string, unknown>>): number {
    return this.of(name, settings).e2eMs.mean
  }
}

export function fleet(count: number, preset: SimulatedNode['preset'] = '8b-a100'): SimulatedNode[] {
  return Array.from({ length: count }, () => ({ preset }))
}

/** A workload of `raceShapes`, at a share of the load that about fills so many nodes. */
export function shapedCourse(
  name: keyof typeof raceShapes,
  { load, nodes = 4, requests }: { load: number; nodes?: number; requests: number },
): Course {
  const { shape, profile, sessionsPerSecond } = raceShapes[name]
  return {
    nodes: fleet(nodes, profile),
    rate: (load * nodes) / 8,
    workload: () => shapeWorkload(shape, { name, seed: 3, sessionsPerSecond, requests }),
  }
}

/** Single requests, evenly in time; each prompt is its own. */
export function evenCourse(
  request: (at: number) => { promptTokens: number; outputTokens: number },
  perSecond: number,
  requests: number,
): () => Workload {
  return () => ({
    name: 'even',
    starts: Array.from({ length: requests }, (_, at): WorkloadRequest => {
      const { promptTokens, outputTokens } = request(at)
      return { atMs: (at * 1000) / perSecond, prompt: [{ id: at + 1, tokens: promptTokens }], outputTokens }
    }),
  })
}
