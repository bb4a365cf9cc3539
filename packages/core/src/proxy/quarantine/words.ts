/** A body that may be what makes engines crash; never its text. */
export interface Suspect {
  /** Salted hash of the body: 16 hexadecimal digits. */
  readonly fingerprint: string
  /** Size of the body. */
  readonly bytes: number
  readonly pool: string
}

/** Why a body is refused. */
export interface Sentence {
  readonly fingerprint: string
  /** Nodes that ended while they served it, oldest first. */
  readonly nodes: readonly string[]
  /** Epoch. */
  readonly untilMs: number
}

/** What a data path tells and asks the office; all of it can cross between threads. */
export type DeskWord =
  /** A node went away while it served the body. */
  | {
      readonly type: 'broke'
      readonly suspect: Suspect
      readonly node: string
      /** The node's life: RosterNode.connectionKey. */
      readonly life: string
      /** Pieces of content that the client had by then; 0: none. */
      readonly progress: number
      /** Epoch: the clock that threads share. */
      readonly sentAtMs: number
      /** Until its path heard of the end. */
      readonly atNodeMs: number
    }
  /** May it be tried again, and where? Answered with the same ticket. */
  | {
      readonly type: 'ask'
      readonly ticket: number
      readonly suspect: Suspect
      /** Lives of nodes that went away in this request's own tries. */
      readonly lives: readonly string[]
      /** Ids of the nodes that could take it now. */
      readonly candidates: readonly string[]
    }
  /** The try with this ticket has content, is over, or was given up before it began. */
  | { readonly type: 'done'; readonly ticket: number }
  /** The body got so far at a node. */
  | { readonly type: 'further'; readonly fingerprint: string; readonly progress: number }
  /** A node answered it whole. */
  | { readonly type: 'answered'; readonly fingerprint: string }
  /** All that it knew of at the call has been told. */
  | { readonly type: 'here'; readonly call: number }
  /** A body in quarantine was refused. */
  | { readonly type: 'refused'; readonly fingerprint: string }

/** What a data path must know of one body. */
export type Known =
  | { readonly is: 'suspect'; readonly fingerprint: string; readonly bytes: number }
  | { readonly is: 'quarantined'; readonly fingerprint: string; readonly bytes: number; readonly sentence: Sentence }
  | { readonly is: 'clear'; readonly fingerprint: string; readonly bytes: number }

/** What the office answers and tells. */
export type OfficeWord =
  /** To one node alone, where one is named. */
  | { readonly type: 'go'; readonly ticket: number; readonly node?: string }
  | { readonly type: 'refuse'; readonly ticket: number; readonly sentence: Sentence }
  /** Before a verdict: is there more to tell? */
  | { readonly type: 'roll-call'; readonly call: number }
  | { readonly type: 'known'; readonly bodies: readonly Known[] }
