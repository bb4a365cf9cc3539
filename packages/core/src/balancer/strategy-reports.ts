import type { Strategy } from '../contracts/index.js'

/** What the strategy of one pool says of itself. */
export interface StrategyReport {
  readonly pool: string
  readonly strategy: string
  readonly values: Readonly<Record<string, number>>
}

/** A plugin's report may name anything; a scrape must not grow with it. */
const MOST_VALUES = 32

/** Of the pools whose strategies report, those with something to say. `onFault` is told of one that fails. */
export function reportsOf(
  pools: readonly { readonly name: string; readonly strategyName: string; readonly strategy: Strategy }[],
  onFault: (pool: string, error: unknown) => void,
): StrategyReport[] {
  return pools.flatMap(({ name: pool, strategyName, strategy }) => {
    try {
      const told = Object.entries(strategy.report?.() ?? {}).filter(([, value]) => Number.isFinite(value))
      return told.length === 0 ? [] : [{ pool, strategy: strategyName, values: Object.fromEntries(told.slice(0, MOST_VALUES)) }]
    } catch (error) {
      onFault(pool, error)
      return []
    }
  })
}

/** Each thread learns for itself: what they say together is the mean. */
export function meanReports(threads: readonly (readonly StrategyReport[])[]): StrategyReport[] {
  const all = threads.flat()
  const firsts = all.filter(({ pool }, at) => all.findIndex((other) => other.pool === pool) === at)
  return firsts.map((first) => {
    const same = all.filter(({ pool }) => pool === first.pool)
    const names = Object.keys(first.values)
    const meanOf = (name: string): number => same.reduce((sum, { values }) => sum + (values[name] ?? 0), 0) / same.length
    return { ...first, values: Object.fromEntries(names.map((name) => [name, meanOf(name)])) }
  })
}
