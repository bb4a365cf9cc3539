import type { AbsentNode, Decision, LoadFacts, LogFacts, NodeOutcome, RequestRecord, RosterNode, ShadowPair } from '../contracts/index.js'
import type { DeskWord, KeptPrompt, OfficeWord } from '../proxy/index.js'
import type { Topology } from '../topology/index.js'
import type { SocketRoom } from '../wire/index.js'
import type { Listenable } from './listeners.js'
import type { Standing } from './standing.js'
import type { StrategyReport } from './strategy-reports.js'

/** What a data thread is born with. */
export interface ThreadBirth {
  readonly topology: Topology
  /** Engine name to the URL of its plugin module: functions cannot cross between threads, so each imports its own. */
  readonly engineModules: Readonly<Record<string, string>>
  /** The same for strategies of plugins. */
  readonly strategyModules: Readonly<Record<string, string>>
  readonly leases: SharedArrayBuffer
  readonly sockets: { readonly buffer: SharedArrayBuffer; readonly room: SocketRoom }
  /** Its rows among the counters. */
  readonly thread: number
  readonly salt: Uint8Array
  /** Epoch. */
  readonly startedAtMs: number
  /** The first thread's clocks at one moment: times that threads share are on its monotonic one. */
  readonly clocks: { readonly nowMs: number; readonly epochMs: number }
  readonly roster: RosterMessage
  readonly listen: readonly Listenable[]
}

/** A roster without what cannot cross: dialects are made anew from the plugin. */
export interface RosterMessage {
  readonly version: number
  readonly nodes: readonly Omit<RosterNode, 'dialect'>[]
  /** Pools of which a node still starts. */
  readonly loading: readonly string[]
  readonly absent: readonly AbsentNode[]
}

/** Said to a data thread. */
export type ToThread =
  | { readonly type: 'roster'; readonly roster: RosterMessage }
  | { readonly type: 'topology'; readonly topology: Topology }
  /** The same topology with other members of its sources: nodes change, routing does not. */
  | { readonly type: 'members'; readonly topology: Topology }
  /** The same declaration, whose pools run otherwise: nodes and routing change, keys do not. */
  | { readonly type: 'steered'; readonly topology: Topology }
  | { readonly type: 'listen'; readonly listen: Listenable }
  /** What another thread's belief has to tell. */
  | { readonly type: 'belief'; readonly thread: number; readonly news: Float64Array }
  /** What engines said of their load, by row. */
  | { readonly type: 'loads'; readonly loads: ReadonlyMap<number, LoadFacts> }
  | { readonly type: 'thread-died'; readonly thread: number }
  /** The office of the quarantine says something. */
  | { readonly type: 'quarantine'; readonly word: OfficeWord }
  | { readonly type: 'closing'; readonly reason: string }
  | { readonly type: 'stop-accepting' }
  | { readonly type: 'cut-all' }
  /** Answered with `heard`, once all that was said before was taken. */
  | { readonly type: 'hear'; readonly id: number }
  | { readonly type: 'metrics'; readonly id: number; readonly contentType: string; readonly text: string }

/** Said by a data thread. */
export type FromThread =
  | { readonly type: 'settled'; readonly records: readonly RequestRecord[] }
  /** A request waits for another revision than the one that has failed it: what is known of it so far. */
  | { readonly type: 'sent-back'; readonly record: RequestRecord }
  | { readonly type: 'decision'; readonly decision: Decision }
  /** A request was answered, and so was its copy. */
  | { readonly type: 'shadow'; readonly pair: ShadowPair }
  /** A prompt that is asked often; the main thread warms nodes. */
  | { readonly type: 'hot-prompt'; readonly kept: KeptPrompt }
  /** How tries at nodes went. */
  | { readonly type: 'outcomes'; readonly outcomes: readonly NodeOutcome[] }
  /** A word to the office of the quarantine. */
  | { readonly type: 'quarantine'; readonly word: DeskWord }
  /** What stands still in this thread. */
  | { readonly type: 'standing'; readonly standing: Standing }
  /** What this thread's belief has to tell the others. */
  | { readonly type: 'belief'; readonly news: Float64Array }
  /** What this thread's strategies say of themselves. */
  | { readonly type: 'strategy-reports'; readonly reports: readonly StrategyReport[] }
  | { readonly type: 'listening'; readonly url: string }
  | { readonly type: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly event: string; readonly facts: LogFacts }
  | { readonly type: 'metrics'; readonly id: number }
  | { readonly type: 'cut' }
  | { readonly type: 'heard'; readonly id: number }
