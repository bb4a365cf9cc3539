import type { CacheEvent } from './cache-event.js'
import type { Diagnosis, PreflightFinding } from './diagnosis.js'
import type { Dialect } from './dialect.js'
import type { LaunchPlan, LaunchSlot } from './launch-plan.js'
import type { LoadFacts } from './load-facts.js'
import type { FitOption, MemoryRoom } from './memory-fit.js'
import type { ModelKeeper } from './model-keeper.js'
import type { WeightsPin, WeightsPlace } from './weights.js'

/** What an engine needs of the memory of its accelerators (all of them together), with the reasons for people. */
export interface MemoryNeed {
  readonly mib: number
  /** `weights 7.6 GiB + KV 1.1 GiB at 8192 tokens + 0.5 GiB`. */
  readonly why: string
}

/** How far a loading engine has come, read from its log. */
export interface LoadingStep {
  /** `loading weights`, `capturing graphs`: shown as the node's reason. */
  readonly step: string
  /** 0..1 of the whole, where it can be told. */
  readonly progress?: number
}

/** What a probe saw. Sick and loading are values, not throws. */
export type ProbeReport =
  | { readonly verdict: 'ready'; readonly models?: readonly string[]; readonly version?: string }
  | { readonly verdict: 'loading'; readonly reason: string; readonly progress?: number }
  | { readonly verdict: 'sick'; readonly reason: string }

/** How to empty a node before it is stopped, beside waiting until core counts nothing in flight there. */
export interface DrainRecipe {
  /** Whether the engine itself is empty: other balancers may use it too. Asked at most every `minProbeIntervalMs`. */
  readonly isEmpty: (signal: AbortSignal) => Promise<boolean>
}

export interface StopStep {
  readonly signal: 'SIGINT' | 'SIGTERM'
  readonly waitMs: number
}

/** The code object that knows one node's engine. Its functions need no `this`: they may be handed on by themselves. */
export interface Backend {
  /** Pure; absent where the engine can only be attached. `lb plan` shows it. `launch.command` and `venv` of the topology are core's to apply. */
  readonly launchPlan?: (slot: LaunchSlot) => LaunchPlan
  /** Asks the engine how it is. May throw: a throw counts as sick with its message. */
  readonly probe: (signal: AbortSignal) => Promise<ProbeReport>
  /** What its load is; asked after a good probe, at most every `minProbeIntervalMs`. May throw: the last facts stay, with their age. */
  readonly load?: (signal: AbortSignal) => Promise<LoadFacts>
  /** Pure: what memory it will take, for placement and for `lb plan`. */
  readonly memoryNeed?: () => MemoryNeed | undefined
  /** Pure: what it would take of main memory on a machine without accelerators to give, for a warning of `lb plan`. */
  readonly mainMemoryNeed?: () => MemoryNeed | undefined
  /** Pure: what would make it fit there, asked where it does not: at most four ways, the least harmful first, each of which fits. */
  readonly fitOptions?: (room: MemoryRoom) => readonly FitOption[]
  /** How it wants its accelerators named: `uuid` (default), or `index` for an engine that reads numbers only (on AMD then by HIP_VISIBLE_DEVICES). */
  readonly gpuIds?: 'index' | 'uuid'
  /** Looks for what would stop the launch: a model that is not there or gated, no space, no network. Quick (under 5 s), starts nothing. */
  readonly preflight?: (signal: AbortSignal) => Promise<readonly PreflightFinding[]>
  /** Ports that it needs beside the one it serves on. */
  readonly extraPorts?: number
  /** Pure: what the last lines of its log say about its loading. */
  readonly loadingStep?: (logTail: string) => LoadingStep | undefined
  /** Pure: what the last lines of its log say about its load and nothing else does; asked after each answer of `load`. */
  readonly loadFromLog?: (logTail: string) => LoadFacts
  /** Pure: why it ended, from the last lines of its log. */
  readonly diagnose?: (logTail: string) => Diagnosis | undefined
  readonly drain?: DrainRecipe
  readonly models?: ModelKeeper
  /**
   * What its weights are exactly, by the name that it has for them now: the same weights, the same text (`commit:<hash>`, `sha256:<hash>`), other weights another
   * one. Quick (under 5 s), starts nothing. Undefined: they are not here yet, or nobody can tell. May throw: then nobody can tell.
   */
  readonly content?: (signal: AbortSignal) => Promise<string | undefined>
  /** `sha256:<hex>` over all their bytes, where `content` is told from less than that. Asked in the background: may take minutes, and leaves the machine to others. */
  readonly contentHash?: (signal: AbortSignal) => Promise<string | undefined>
  /** Pure: where they lie on another machine, by what is declared; undefined: nobody can look there. */
  readonly weightsThere?: () => WeightsPlace | undefined
  /** How to launch the weights that `content` once told; undefined: this engine cannot be held to them. Looks at files at most. */
  readonly pin?: (content: string) => WeightsPin | undefined
  /** Weights that a launch would have to fetch before it serves, by the name that `lb models pull` takes; undefined: none. Quick, asks nobody. */
  readonly toFetch?: (signal: AbortSignal) => Promise<string | undefined>
  /** Gives its memory back while staying up, and takes it again. */
  readonly sleep?: (signal: AbortSignal) => Promise<void>
  readonly wake?: (signal: AbortSignal) => Promise<void>
  /** News of its prefix cache, until aborted. Never ends by itself; reconnects. */
  readonly cacheEvents?: (signal: AbortSignal) => AsyncIterable<CacheEvent>
  /** The engine bears no probe more often than this. */
  readonly minProbeIntervalMs: number
  readonly dialect: Dialect
  /** The model's name in requests to this node where the topology gives none (`model`); for engines that cannot be told names to serve under. */
  readonly modelName?: string
  /** True: it refuses a model that its probe does not list, so a request for one need not be sent there. Absent: its list says nothing about that. */
  readonly strictModels?: boolean
  /** Signals and waits before the force kill; default one SIGTERM and 10 s. */
  readonly stop?: readonly StopStep[]
}
