import type { Clock, RandomSource } from '../base/index.js'
import type {
  Decision,
  Face,
  LeaseBook,
  Logger,
  NodeOutcome,
  RequestRecord,
  RosterSource,
  ShadowPair,
  Strategy,
} from '../contracts/index.js'
import type { TokenEstimates } from '../insight/index.js'
import type { RetryPlan, SplitPlan } from '../topology/index.js'
import type { Due, Exchange, TimerWheel, UpstreamEngine, UpstreamTimeouts } from '../wire/index.js'
import type { Labels } from './asked-headers.js'
import type { BodyBudget, BodyShare } from './body-budget.js'
import type { Cooldowns } from './cooldowns.js'
import type { DecisionTracer } from './decision-tracer.js'
import type { Delivery } from './delivery.js'
import type { HotPrompts, KeptPrompt } from './hot-prompts/index.js'
import type { DeskWord, QuarantineDesk } from './quarantine/index.js'
import type { HedgeBook } from './retries/hedge-book.js'
import type { RetryBudgets } from './retries/retry-budgets.js'
import type { Shadows } from './shadow/shadows.js'
import type { WaitingLines } from './waiting-line.js'
import type { Zones } from './zones.js'

/** A pool as the corridor needs to know it. */
export interface PoolRoute {
  readonly name: string
  readonly models: readonly string[]
  readonly strategy: Strategy
  /** For people. */
  readonly strategyName: string
  /** A header that names the conversation, before all others; lower case. */
  readonly sessionHeader?: string | undefined
  /** Labels that every node must have that gets requests. */
  readonly requiredLabels?: Labels | undefined
  /** The line for requests that the strategy wants no node for. */
  readonly line: { readonly max: number; readonly longestMs: number }
  /** How prompts go from nodes that compute them to those that answer; undefined: no node is for one half alone. */
  readonly handover?: { readonly minPromptTokens: number; readonly orServe: boolean } | undefined
  /** What happens when a node fails a request, or none is there for it. */
  readonly retries: RetryPlan
  /** How a begun stream is gone on with after its node went away. */
  readonly continuation: 'exact' | 'text' | 'off'
  readonly timeouts: UpstreamTimeouts
  /** How requests are parted between revisions; undefined: it has one. */
  readonly split?: SplitPlan | undefined
  /** By revision, the weights that it loads; undefined: it has one. */
  readonly weights?: ReadonlyMap<string, string> | undefined
  /** Somebody brings a node up where there is none: requests wait for so long. */
  readonly wake?: { readonly withinMs: number } | undefined
}

/** The pools that are served right now; replaced whole by a reload. */
export interface PoolDirectory {
  poolOf(model: string): PoolRoute | undefined
  /** The pool meant when a request names no model: the only one there is. */
  readonly only: PoolRoute | undefined
  readonly models: readonly string[]
}

export interface ProxyOptions {
  readonly rosters: RosterSource
  readonly leases: LeaseBook
  readonly upstream: UpstreamEngine
  readonly pools: () => PoolDirectory
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** Salts prefix hashes, so that they mean nothing outside this installation. */
  readonly salt: Uint8Array
  readonly wheel: TimerWheel
  readonly limits: () => {
    readonly maxBodyBytes: number
    readonly maxBodiesBytes: number
    readonly heartbeatMs: number
    /** Where this gateway stands. */
    readonly zone?: string
    /** Share of requests whose choices are told unasked. */
    readonly traceShare: number
  }
  /** Called once for each request, at its very end. */
  readonly onSettled: (record: RequestRecord) => void
  /** Called for a request that a revision which is tried out has failed, and that goes on waiting for the trusted one: what is known of it so far. */
  readonly onSentBack: (record: RequestRecord) => void
  /** Called for each choice that is told, when it is made. */
  readonly onDecision: (decision: Decision) => void
  /** Called for each try at a node, when it ended. */
  readonly onOutcome: (outcome: NodeOutcome) => void
  /** A word to the office of the quarantine, which answers with `Proxy.quarantine`. */
  readonly onDeskWord: (word: DeskWord) => void
  /** More or fewer requests wait in line. */
  readonly onLine: () => void
  /** A request was answered, and so was its copy. */
  readonly onShadow: (pair: ShadowPair) => void
  /** A prompt that is asked often was kept; for a store in another thread. */
  readonly onHotPrompt?: ((kept: KeptPrompt) => void) | undefined
}

/** What the stages share. */
export interface ProxyContext extends ProxyOptions {
  readonly bodies: BodyBudget
  readonly estimates: TokenEstimates
  readonly zones: Zones
  readonly lines: WaitingLines
  readonly cooldowns: Cooldowns
  readonly budgets: RetryBudgets
  readonly hedges: HedgeBook
  readonly quarantine: QuarantineDesk
  readonly tracer: DecisionTracer
  readonly shadows: Shadows
  readonly hotPrompts: HotPrompts
}

export interface ProxyRequest {
  readonly exchange: Exchange
  readonly face: Face
  readonly requestId: string
  /** Name of the key that the client has; undefined where none is asked for. */
  readonly client?: string | undefined
}

/** What everybody may do to the client's side of a request. */
export type OpenDelivery = Pick<Delivery, Exclude<keyof Delivery, keyof Due>>

/** A request with the client's side of it. */
export interface Entered extends ProxyRequest {
  readonly delivery: OpenDelivery
  /** What the body holds of the memory for bodies. */
  readonly share: BodyShare
  /** Epoch. */
  readonly arrivedAtMs: number
  /** On the monotonic clock. */
  readonly arrivedMs: number
}
