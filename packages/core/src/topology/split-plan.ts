/** How the requests of one pool are parted between revisions of its nodes. */
export interface SplitPlan {
  /** At least one; shares add up to 1. The first is the trusted one: what failed elsewhere is tried again there. */
  readonly sides: readonly SplitSide[]
  /** Requests of one conversation go to one side as long as its share does not shrink. This holds for those of one client, too, where no conversation is named: for lasting splits, for one client may be all the traffic there is. */
  readonly sticky: boolean
  /** A request with this header goes to the side that it names, whatever the shares are. */
  readonly header?: {
    /** Lower case. */
    readonly name: string
    /** Its value to a revision; other values mean nothing. */
    readonly values: Readonly<Record<string, string>>
  }
  /** Copies of requests go to a revision that answers nobody. */
  readonly shadow?: {
    readonly revision: string
    /** Share of requests that are copied, 0..1. */
    readonly share: number
    /** Copies at one moment, in each data thread; above it none is made. */
    readonly maxInFlight: number
  }
  /** Whether the text of answers is looked at, for a judge. */
  readonly watch: boolean
}

export interface SplitSide {
  /** `GroupPlan.revision` of its nodes. */
  readonly revision: string
  /** 0..1. */
  readonly share: number
}
