import type { LoadFacts } from '@plimsoll/core/plugin'
import { tailLines } from './log-tail.js'

/**
 * With `eplb.logBalancedness` vLLM writes each step's balance to its log, and only there: mean over maximum of the tokens that the ranks' experts took.
 * The last line counts; a step without tokens says 0.
 */
export function expertBalance(logTail: string): LoadFacts {
  const line = tailLines(logTail).findLast((each) => each.includes('balancedness=') && !/balancedness=0\.0+(?!\d)/.test(each))
  const balance = Number(/\bbalancedness=(\d+\.\d+)/.exec(line ?? '')?.[1])
  return balance > 0 && balance <= 1 ? { expertImbalance: Math.round(1000 / balance) / 1000 } : {}
}
