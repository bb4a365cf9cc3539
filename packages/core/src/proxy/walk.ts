import type { AttemptRecord, RosterNode } from '../contracts/index.js'
import type { LbError } from '../errors/index.js'
import type { AttemptEnd } from './forward.js'

/** All that was tried for one request. */
export interface Walk {
  readonly attempts: readonly AttemptRecord[]
  /** The node of the last attempt. */
  readonly node: RosterNode | undefined
  /** In line, before a node took it. */
  readonly inLineMs: number
  readonly end: AttemptEnd | undefined
  /** No node is still being sent the body. */
  readonly isBodyFree: boolean
  /** Why nothing was answered, where nothing was. */
  readonly error: LbError | undefined
}
