import type { Backend } from './backend.js'
import type { JsonSchema } from './json-schema.js'
import type { PluginHost } from './plugin-host.js'
import type { RolloutEvent } from './rollout-event.js'

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
