import type { Gpu } from './gpu.js'

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
