import type { SimulationResult } from '../simulation-result.js'
import type { Curve } from './plot.js'

/** More curves than this are a thicket. */
const MOST_NODES = 12

/** Requests on each node over time, waiting or running; of many nodes the fullest, the middle and the emptiest of each moment. */
export function loadCurves({ load, perNode }: Pick<SimulationResult, 'load' | 'perNode'>): Curve[] {
  const perMoment = load.running.map((running, node) => running.map((count, moment) => count + (load.waiting[node]?.[moment] ?? 0)))
  const curve = (name: string, values: readonly number[]): Curve => ({
    name,
    points: values.map((value, moment) => [(moment * load.intervalMs) / 1000, value]),
  })
  if (perMoment.length <= MOST_NODES) return perMoment.map((values, node) => curve(perNode[node]?.id ?? `n${node}`, values))
  const moments = perMoment[0]?.length ?? 0
  const sorted = Array.from({ length: moments }, (_, moment) =>
    perMoment.map((values) => values[moment] ?? 0).sort((one, other) => one - other),
  )
  const ranks = { fullest: perMoment.length - 1, middle: Math.floor(perMoment.length / 2), emptiest: 0 }
  return Object.entries(ranks).map(([name, rank]) =>
    curve(
      `${name} of ${perMoment.length}`,
      sorted.map((values) => values[rank] ?? 0),
    ),
  )
}
