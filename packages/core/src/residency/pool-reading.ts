import type { ResidencyPlan } from '../topology/index.js'

/** One pool that shares accelerators, as its nodes and its line are right now. */
export interface PoolReading {
  readonly name: string
  readonly plan: ResidencyPlan
  /** It was put to rest, whether it is there yet or not. */
  readonly rests: boolean
  /** None of its nodes holds anything any more. */
  readonly isAtRest: boolean
  /** A node takes requests. */
  readonly isReady: boolean
  /** All of its nodes have failed to start; for people. */
  readonly failure: string | undefined
  /** And nobody starts them again by itself. */
  readonly isGivenUp: boolean
  readonly inFlight: number
  /** Requests that stand in line. */
  readonly waiting: number
  /** Why it must stay as it is; undefined: it need not. */
  readonly pinnedBecause: string | undefined
  /** Why its memory does not come back when it rests: it only gets no requests then. Undefined: it does. */
  readonly unableBecause: string | undefined
}
