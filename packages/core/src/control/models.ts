import type { NodeState } from '../contracts/index.js'

/** One model that a node answers to, or could. What its engine does not tell is left out. */
export interface ServedModel {
  /** As requests name it there. */
  readonly name: string
  /** In memory; absent where the engine does not say. */
  readonly loaded?: boolean
  /** Longest prompt with its answer as it runs now; while it does not run, the most that it was made for. */
  readonly contextTokens?: number
  /** Of its files. */
  readonly sizeBytes?: number
  /** `sha256:<hex>` of its content. */
  readonly contentHash?: string
  /** In memory, how much it takes there. */
  readonly memoryBytes?: number
  /** Of that, how much on accelerators; less than all means that the processor does the rest. */
  readonly acceleratorBytes?: number
}

/** What one node serves, asked of its engine just now. */
export interface NodeModels {
  /** Name of its pool. */
  readonly pool: string
  /** `pool/name`. */
  readonly node: string
  /** Kind of server. */
  readonly engine: string
  /** Where the node is in its life; null where no balancer runs. */
  readonly state: NodeState | null
  /** Names that clients may ask for. */
  readonly asked: readonly string[]
  /** What its engine has. */
  readonly models: readonly ServedModel[]
  /** Adapters (LoRA) that it can serve now. */
  readonly adapters: readonly string[]
  /** Why nothing is known about it; null where it answered. */
  readonly error: string | null
}
