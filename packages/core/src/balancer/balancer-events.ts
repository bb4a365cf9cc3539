import type { RequestRecord } from '../contracts/index.js'
import type { BalancerEvent } from '../control/index.js'

export interface BalancerEvents {
  /** Anything worth telling a person. */
  event: BalancerEvent
  /** A request has ended. */
  settled: RequestRecord
  /** What the state file should hold has changed. */
  record: undefined
  /** Too many data threads died: this process should end and start anew. */
  broken: undefined
  /** The balancer has stopped. */
  closed: undefined
}
