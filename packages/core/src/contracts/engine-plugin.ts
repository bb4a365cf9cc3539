import type { Dialect } from './dialect.js'
import type { JsonSchema } from './json-schema.js'
import type { Logger } from './log.js'

/** What a plugin may use of its host; nothing else is promised. */
export interface PluginHost {
  readonly log: Logger
  /** GET with a hard size limit (4 MiB) and no redirects. Network failures throw; any HTTP status is a value. */
  get(url: string, options: { readonly signal: AbortSignal; readonly headers?: Readonly<Record<string, string>> }): Promise<HostResponse>
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
  /** Models that it serves right now. */
  readonly models?: readonly string[]
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
  /** Key to send as `Authorization: Bearer`; already resolved. */
  readonly apiKey?: string
}

/** Where core put a launched node. */
export interface LaunchSlot {
  readonly host: '127.0.0.1'
  readonly port: number
  /** 0-based index among the replicas of its node group. */
  readonly replica: number
}

/** What to start: the plugin says what, core does it. */
export interface LaunchPlan {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** How long starting and loading may take before the attempt counts as failed. */
  readonly readyWithinMs: number
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

/** The code object that knows one node's engine. */
export interface Backend {
  /** Pure; absent where the engine can only be attached. `lb plan` shows it. */
  launchPlan?(slot: LaunchSlot): LaunchPlan
  /** Asks the engine how it is. May throw: a throw counts as sick with its message. */
  probe(signal: AbortSignal): Promise<ProbeReport>
  /** The engine bears no probe more often than this. */
  readonly minProbeIntervalMs: number
  readonly dialect: Dialect
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
  /** URL that `attach` means when a node group gives neither attach nor launch. */
  readonly defaultAttachUrl?: string
  /** One line about what this plugin can do today. */
  readonly summary: string
  /** Is the engine here? Must be quick (under 2 s) and never start anything. */
  detect?(host: PluginHost): Promise<Detection>
  createBackend(spec: NodeSpec<Settings>, host: PluginHost): Backend
}
