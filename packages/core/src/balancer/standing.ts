import type { BudgetState, Proxy } from '../proxy/index.js'
import type { DataPath } from './data-path.js'
import type { DataThreads } from './data-threads.js'

/** What stands still in one data path, by pool. */
export interface Standing {
  /** Requests in line. */
  readonly inLine: ReadonlyMap<string, number>
  /** What was spent on tries in vain. */
  readonly budgets: ReadonlyMap<string, BudgetState>
}

export function standingOf(proxy: Proxy): Standing {
  return { inLine: proxy.inLine(), budgets: proxy.budgets() }
}

/** Somebody waits, or has tried in vain of late. */
export function isMoving({ inLine, budgets }: Standing): boolean {
  return inLine.size > 0 || [...budgets.values()].some(({ spent, waiting }) => spent > 0 || waiting > 0)
}

/** Over all data paths. */
export function standings(dataPath: DataPath, threads: DataThreads | undefined): Standing {
  const inLine = new Map<string, number>()
  const budgets = new Map<string, BudgetState>()
  for (const standing of [standingOf(dataPath.proxy), ...(threads?.standings() ?? [])]) {
    for (const [pool, size] of standing.inLine) inLine.set(pool, (inLine.get(pool) ?? 0) + size)
    for (const [pool, state] of standing.budgets) budgets.set(pool, sum(budgets.get(pool), state))
  }
  return { inLine, budgets }
}

function sum(a: BudgetState | undefined, b: BudgetState): BudgetState {
  return a === undefined ? b : { spent: a.spent + b.spent, allowed: a.allowed + b.allowed, waiting: a.waiting + b.waiting }
}
