import type { Dialect, HeaderView } from './dialect.js'
import type { Candidate } from './strategy.js'

/** States of a node's life; the table of moves is nodes/transitions.ts. `asleep`: it rests while another pool has its place, and a request wakes it. */
export type NodeState = 'declared' | 'starting' | 'loading' | 'warming' | 'ready' | 'suspect' | 'draining' | 'asleep' | 'stopped' | 'failed'

/** Where to send bytes. */
export interface UpstreamTarget {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** Path of a unix socket, instead of host and port. */
  readonly socketPath?: string
  /** Path prefix of the base URL, without a trailing slash; often empty. */
  readonly basePath: string
  /** Value of the Host header. */
  readonly authority: string
}

/** One node as the data path sees it; frozen. */
export interface RosterNode extends Candidate {
  /** A node of a higher rank gets requests only while its pool has no ready node of a lower one; absent: 0, the lowest. */
  readonly rank?: number
  /** Names the life of this process: changes at each restart, so that pooled sockets of a dead one are not reused. */
  readonly incarnation: number
  /** Connections are shared within a key: the node's id and incarnation. */
  readonly connectionKey: string
  readonly pool: string
  readonly engine: string
  readonly state: NodeState
  /** Base URL, as its backend was told. */
  readonly url: string
  readonly target: UpstreamTarget
  readonly dialect: Dialect
  /** The model's name at this node; undefined = the name that the client used. */
  readonly model: string | undefined
  /** Model names and adapters that it answers to, where it refuses all others; absent: unknown. */
  readonly serves?: readonly string[]
  /** Which half of a request it is for, where a pool parts them; absent: both. */
  readonly role?: 'prefill' | 'decode'
  /** Longest prompt with its answer, in tokens; absent: unknown. */
  readonly contextTokens?: number
  readonly labels?: Readonly<Record<string, string>>
  /** What it runs, where its pool has several revisions; absent: it has one. */
  readonly revision?: string
  /** Shortest way there and back that was seen lately, in ms; absent: unknown. */
  readonly roundTripMs?: number
  /** It was taken out although its probes may be good: the how manyth time in this life. Absent: it is not out. */
  readonly ejected?: number
  /** Why lb has given up on what is in flight there: it hangs. Data paths break those calls off, and their requests go elsewhere. Absent: it has not. */
  readonly lost?: string
  /** Share of its usual traffic that it may take, over 0 and below 1, while it comes back after a failure; absent: all. */
  readonly admission?: number
  /** Half open: one request at a time shows whether it is well again, beside so many that were in flight there before. */
  readonly trial?: number
  /** How its last process that ended did so: by itself, or because somebody killed it; absent: unknown, or none has. */
  readonly lastEnd?: 'crash' | 'killed'
  /** Headers that carry the node's key; empty where it needs none. */
  readonly authHeaders: HeaderView
}

/** A node that is not ready, for those who would have to wait for it. */
export interface AbsentNode {
  readonly id: string
  readonly pool: string
  readonly state: NodeState
  /** Why, for people; null: its state says it all. */
  readonly reason: string | null
  /** Of its loading, 0..1; null: unknown. */
  readonly progress: number | null
  readonly labels?: Readonly<Record<string, string>>
  /** It may be ready again without anybody's doing anything. */
  readonly mayComeBack: boolean
}

/** Truth about all nodes at one moment; replaced whole, never changed. */
export interface Roster {
  readonly version: number
  readonly nodes: readonly RosterNode[]
  /** Nodes of one pool that may take new requests, in declared order. */
  routable(pool: string): readonly RosterNode[]
  /** The same, and behind them the ready nodes of each higher rank: who is asked when those before them cannot. None of the lists is empty. */
  tiers(pool: string): readonly (readonly RosterNode[])[]
  /** Nodes of one pool that are not ready. */
  absent(pool: string): readonly AbsentNode[]
  /** Why a pool has none: `loading` while any node starts or loads, else `down`. */
  emptyReason(pool: string): 'loading' | 'down'
}

/** Hands out the current roster; the only way the data path sees nodes. */
export interface RosterSource {
  current(): Roster
}
