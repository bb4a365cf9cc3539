import type { CacheEvent } from './cache-event.js'
import type { Dialect } from './dialect.js'
import type { Gpu } from './gpu.js'
import type { JsonSchema } from './json-schema.js'
import type { LoadFacts } from './load-facts.js'
import type { Logger } from './log.js'
import type { FitOption, MemoryRoom } from './memory-fit.js'
import type { RolloutEvent } from './rollout-event.js'

/** What a plugin may use of its host; nothing else is promised. */
export interface PluginHost {
  readonly log: Logger
  /** GET with a hard size limit (4 MiB) and no redirects. Network failures throw; any HTTP status is a value. */
  get(url: string, options: RequestOptions): Promise<HostResponse>
  /** The same with a JSON body. */
  send(method: 'POST' | 'DELETE', url: string, options: RequestOptions & { readonly body?: unknown }): Promise<HostResponse>
  /** POST whose answer comes line by line (NDJSON, event streams), for work that takes long. Ends with the answer; throws for a status over 299 with its first 2 KiB. */
  lines(url: string, options: RequestOptions & { readonly body?: unknown }): AsyncIterable<string>
  /** Runs a command to its end without a shell; for versions and lists. Never throws for its exit code; output is cut at 1 MiB. */
  run(command: string, args: readonly string[], options: { readonly signal: AbortSignal }): Promise<CommandResult>
}

export interface RequestOptions {
  readonly signal: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

export interface CommandResult {
  /** Null when a signal ended it or it could not be started. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface HostResponse {
  readonly status: number
  readonly text: string
}

/** An engine found on this machine, for `lb init` and `lb engines`. */
export interface Detection {
  readonly found: boolean
  readonly version?: string
  /** Base URL of a server that already runs. */
  readonly url?: string
  /** Models that it serves right now; where none runs, those that it could serve. */
  readonly models?: readonly string[]
  /** Where none runs: `launch.model` with which a launch would serve the first of `models`, where the engine needs one. */
  readonly weights?: string
  /** One line for people: where it was looked for, what was seen. */
  readonly detail: string
}

/** One node as its backend needs to know it. */
export interface NodeSpec<Settings = unknown> {
  /** `pool/node`, unique in the topology. */
  readonly id: string
  /** Base URL without a trailing slash, with any path prefix: `http://127.0.0.1:18400`. */
  readonly url: string
  /** Names that clients may ask for; the first is canonical. */
  readonly models: readonly string[]
  /** The model's name at this node, where it differs. */
  readonly model?: string
  /** `launch.args` after the plugin's own schema filled in its defaults; `{}` for attached nodes. */
  readonly settings: Settings
  /** `launch.model`: the weights to load, as the engine names them (a repository, a path, a tag). */
  readonly weights?: string
  /** `launch.ready`: path that answers 200 once requests would be served; for engines that have none of their own. */
  readonly readyPath?: string
  /** Key to send as `Authorization: Bearer`; already resolved. */
  readonly apiKey?: string
  /** The environment that a launched engine gets from its topology and shell; absent for attached nodes. Throws where a declared secret is missing. */
  readonly environment?: () => Readonly<Record<string, string>>
}

/** Where core put a launched node. */
export interface LaunchSlot {
  /** Address to listen on: loopback, but for an engine on another machine that is reached directly. */
  readonly host: string
  readonly port: number
  /** 0-based index among the replicas of its node group. */
  readonly replica: number
  /** Further loopback ports, as many as `Backend.extraPorts` asked for. */
  readonly extraPorts: readonly number[]
  /** Accelerators that it may use, in order; core sets the variables that hide the others. Undefined: nobody chose, the engine sees all. Empty: none. */
  readonly gpus?: readonly Gpu[]
}

/** What to start: the plugin says what, core does it. */
export interface LaunchPlan {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Names in `env` that hold secrets: never shown. */
  readonly secretEnv?: readonly string[]
  /** How long it may go without progress while starting and loading before the attempt counts as failed. */
  readonly readyWithinMs: number
}

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

/** Why an engine ended or cannot start, in words that help at night. */
export interface Diagnosis {
  readonly kind:
    | 'out-of-memory'
    | 'port-taken'
    | 'model-missing'
    | 'model-gated'
    | 'no-space'
    | 'no-network'
    | 'driver'
    | 'bad-settings'
    | 'other'
  /** One line. */
  readonly message: string
  /** What to do next. */
  readonly hint: string
}

/** One thing that would stop a launch, found before it. */
export interface PreflightFinding extends Diagnosis {
  /** `error`: the launch would fail. `warning`: it may. */
  readonly severity: 'error' | 'warning'
}

export interface PullProgress {
  readonly step: string
  readonly doneBytes?: number
  readonly totalBytes?: number
}

/** One model that an engine has on its disk or in memory. What it does not tell is left out. */
export interface KeptModel {
  /** As requests name it. */
  readonly name: string
  /** In memory right now. */
  readonly loaded?: boolean
  /** Of its files. */
  readonly sizeBytes?: number
  /** Of its content, `sha256:<hex>` where the engine tells one. */
  readonly contentHash?: string
  /** Longest prompt with its answer as it runs now; while it does not run, the most that it was made for. */
  readonly contextTokens?: number
  /** In memory, how much it takes there, and how much of that on accelerators. */
  readonly memoryBytes?: number
  readonly acceleratorBytes?: number
}

/** Models of an engine that can change them while it runs. */
export interface ModelKeeper {
  /** What it has, loaded or not; models that run elsewhere are none of its own. */
  readonly list?: (signal: AbortSignal) => Promise<readonly KeptModel[]>
  /** Fetches a model's files; resumable. Resolves with a hash of the content where the engine tells one. */
  readonly pull?: (
    model: string,
    options: { readonly signal: AbortSignal; readonly onProgress: (progress: PullProgress) => void },
  ) => Promise<{ readonly contentHash?: string }>
  /** Brings a model into memory; resolves when it would serve. */
  readonly load?: (model: string, signal: AbortSignal) => Promise<void>
  readonly unload?: (model: string, signal: AbortSignal) => Promise<void>
}

/**
 * Where an engine that is launched on another machine will look for its weights there. Core looks, with what a plain shell has, and tells what they are: a
 * commit of a hub's cache, or samples and then SHA-256 of files.
 */
export type WeightsPlace =
  /** Absolute: all files of the model. */
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  /** Absolute, with the endings of the names of those that count, without their dots. */
  | { readonly kind: 'folder'; readonly folder: string; readonly endings: readonly string[] }
  /** `org/name` in the cache of the hub's client, at a branch, tag or commit; `cacheVariable` names its cache before the client's own variables do. */
  | { readonly kind: 'hub'; readonly repo: string; readonly revision: string; readonly cacheVariable?: string }

/** How weights of a certain content are launched, whatever their name has come to mean since. What is left out stays as it was. */
export interface WeightsPin {
  /** Of `launch.args`, in the place of those that are there. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** In the place of `launch.model`. */
  readonly weights?: string
  /** The model's name at the node, of an attached one. */
  readonly model?: string
}

/** How to empty a node before it is stopped, beside waiting until core counts nothing in flight there. */
export interface DrainRecipe {
  /** Whether the engine itself is empty: other balancers may use it too. Asked at most every `minProbeIntervalMs`. */
  readonly isEmpty: (signal: AbortSignal) => Promise<boolean>
}

export interface StopStep {
  readonly signal: 'SIGINT' | 'SIGTERM'
  readonly waitMs: number
}

/** What a probe saw. Sick and loading are values, not throws. */
export type ProbeReport =
  | { readonly verdict: 'ready'; readonly models?: readonly string[]; readonly version?: string }
  | { readonly verdict: 'loading'; readonly reason: string; readonly progress?: number }
  | { readonly verdict: 'sick'; readonly reason: string }

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

/** One kind of inference server. Every engine, official ones too, comes through this. */
export interface EnginePlugin<Settings = unknown> {
  readonly apiVersion: 1
  readonly engine: string
  /** Schema of `launch.args`, checked (with defaults filled in) before createBackend runs. */
  readonly settings: JsonSchema
  /** True where `launch:` works today. */
  readonly canLaunch: boolean
  /** True where `launch` works with a `command` of the user's only: this engine has none of its own. */
  readonly needsCommand?: boolean
  /** True where a launched engine asks for `NodeSpec.apiKey`: only such ones may listen beyond loopback. */
  readonly takesKey?: boolean
  /** URL that `attach` means when a node group gives neither attach nor launch. */
  readonly defaultAttachUrl?: string
  /** One line about what this plugin can do today. */
  readonly summary: string
  /** Is the engine here? Must be quick (under 2 s) and never start anything. */
  detect?(host: PluginHost): Promise<Detection>
  createBackend(spec: NodeSpec<Settings>, host: PluginHost): Backend
  /** Told of each phase of every rollout; nobody waits for it, and what it throws is logged. */
  onRolloutEvent?(event: RolloutEvent): void
}
