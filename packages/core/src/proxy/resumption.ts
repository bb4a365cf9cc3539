import type { RosterNode } from '../contracts/index.js'

/** A begun stream whose node went away, as far as another node must know it to go on. Made by the answer that broke off, used up by the next try. */
export interface Resumption {
  /** `exact`: by the ids of the delivered tokens; `text`: by the delivered text. */
  readonly grade: 'exact' | 'text'
  /** The node that broke off: only one of its engine and model can go on. */
  readonly from: RosterNode
}
