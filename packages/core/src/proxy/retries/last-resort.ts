import type { AttemptRecord, RosterNode } from '../../contracts/index.js'
import type { LbError } from '../../errors/index.js'
import type { AttemptEnd } from '../forward.js'
import { streamCut } from '../resumption.js'
import { allFailed } from '../unanswered.js'

/** How the last try ended. */
export interface LastTry {
  readonly node: RosterNode
  readonly end: AttemptEnd
}

/** Gives the client the last node's own refusal, where there is one; else tells what is to be told. `because`: why no other node is asked. */
export function passOnOrTell({ end }: LastTry, records: readonly AttemptRecord[], because: string | undefined): LbError | undefined {
  if (end.passOn !== undefined) {
    end.passOn()
    return undefined
  }
  if (end.resumption !== undefined) return streamCut(`${end.reason ?? end.outcome}; no other node goes on with it`)
  return allFailed(records, end, because)
}
