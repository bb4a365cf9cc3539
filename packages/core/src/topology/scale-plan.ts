/** How many replicas a group has, by load. */
export interface ScalePlan {
  /** 0: it may rest wholly, and the first request wakes it. */
  readonly min: number
  readonly max: number
  readonly target: ScaleTarget
  /** How long more must be wanted before there are more, and fewer before there are fewer. */
  readonly upAfterMs: number
  readonly downAfterMs: number
  /** Between two changes. */
  readonly cooldownMs: number
  /** Without requests for so long it goes to zero, where `min` is 0. */
  readonly idleMs: number
  /** Floors by time of day. */
  readonly schedule: readonly {
    readonly fromMinute: number
    readonly toMinute: number
    readonly days?: readonly number[]
    readonly min: number
    /** Whose time of day; absent: that of the machine. */
    readonly timeZone?: string
  }[]
  /** What else it follows. */
  readonly triggers: readonly ScaleTrigger[]
  /** Brings and returns machines; absent: replicas are launched where the group says. */
  readonly provider?: ScaleProvider
}

/** What load one replica shall have at most; the strictest wins. */
export interface ScaleTarget {
  /** Work that waits, in seconds that one node needs for it. */
  readonly queueSeconds?: number
  /** Prompt and expected answer of the requests at a node. */
  readonly tokensInFlight?: number
  /** Share of the KV cache, 0..1. */
  readonly kvUsed?: number
  /** 95th percentile of the time to first token. */
  readonly ttftP95Ms?: number
}

export interface ScaleTrigger {
  readonly name: string
  /** `prometheus`: the answer of an instant query. `url`: a number, or JSON with one at `path`. `gpu`: mean use of the group's accelerators, 0..1. */
  readonly kind: 'prometheus' | 'url' | 'gpu'
  readonly url?: string
  readonly query?: string
  readonly path?: string
  /** What one replica bears. */
  readonly perReplica: number
  readonly everyMs: number
}

export type ScaleProvider =
  | { readonly kind: 'command'; readonly up: readonly string[]; readonly down: readonly string[]; readonly timeoutMs: number }
  | { readonly kind: 'webhook'; readonly url: string; readonly timeoutMs: number }
