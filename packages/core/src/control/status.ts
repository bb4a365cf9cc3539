import type { ScaleStatus } from '../autoscale/index.js'
import type { GpuVendor, NodeState } from '../contracts/index.js'
import type { ResidencyStatus } from '../residency/index.js'
import type { RolloutStatus } from '../rollout/index.js'

/** Median and 95th percentile of the last 60 seconds, in milliseconds. */
export interface Quantiles {
  /** Median. */
  readonly p50: number
  /** 95th percentile. */
  readonly p95: number
}

/** What an engine last told of its load. Null: it does not tell. */
export interface NodeLoadStatus {
  /** How old this is. */
  readonly ageMs: number
  /** Requests that it works on, of all its clients. */
  readonly running: number | null
  /** Requests that wait inside it. */
  readonly waiting: number | null
  /** Requests that it can work on at once. */
  readonly slots: number | null
  /** Share of its KV cache in use, 0..1. */
  readonly kvUsedRatio: number | null
  /** KV blocks that it has. */
  readonly kvBlocks: number | null
  /** Tokens in one block. */
  readonly kvBlockTokens: number | null
  /** Prompt tokens since it started. */
  readonly promptTokens: number | null
  /** Of these, the ones found in its cache. */
  readonly cachedTokens: number | null
  /** Longest prompt with its answer. */
  readonly contextTokens: number | null
  /** Adapters (LoRA) that it can serve now. */
  readonly adapters: readonly string[] | null
  /** Models in memory right now, where it can hold others back. */
  readonly loadedModels: readonly string[] | null
  /** True while it has given its memory back. */
  readonly asleep: boolean | null
  /** Load of the busiest expert over the mean one; 1 is even. */
  readonly expertImbalance: number | null
}

/** One accelerator of the machine, or one MIG slice. A figure that its tool does not know is null. */
export interface GpuStatus {
  /** Names it across calls: its uuid, else its place. */
  readonly key: string
  /** The machine that it is in, as `ssh` of the node groups says it; null: this one. */
  readonly host: string | null
  /** Who made it. */
  readonly vendor: GpuVendor
  /** Position, as `lb.yaml` counts. A slice has that of its card. */
  readonly index: number
  /** `GPU-...`, `MIG-...`. */
  readonly uuid: string | null
  /** Place on the PCI bus. */
  readonly pciBusId: string | null
  /** As its tool calls it. */
  readonly name: string
  /** Profile of a MIG slice, such as `3g.20gb`. */
  readonly migProfile: string | null
  /** MiB. */
  readonly memTotalMiB: number | null
  /** MiB that are free, whoever uses the rest. */
  readonly memFreeMiB: number | null
  /** 0..1. */
  readonly utilization: number | null
  /** Degrees Celsius. */
  readonly temperatureC: number | null
  /** True where its memory is the machine's main memory. */
  readonly unified: boolean
  /** Why nothing can run on it. */
  readonly broken: string | null
  /** When its figures were read; epoch. It stays where its tool has begun to fail. */
  readonly seenAtMs: number
  /** Ids of this balancer's nodes that it is reserved for. */
  readonly nodes: readonly string[]
  /** Nodes of other topologies on this machine that it is reserved for: `topology/pool/node`. */
  readonly heldBy: readonly string[]
}

/** What keeps a tool from telling all about the accelerators. */
export interface GpuProblem {
  /** The tool. */
  readonly tool: string
  /** What is wrong. */
  readonly message: string
  /** What to do next. */
  readonly hint: string
}

export interface NodeStatus {
  /** `pool/name`. */
  readonly id: string
  /** Second half of the id. */
  readonly name: string
  /** Kind of server. */
  readonly engine: string
  /** `here` for nodes that this balancer launched on its own machine, the name of the machine for those that it launched elsewhere, else the host name of the URL. */
  readonly host: string
  /** Where the node is in its life. */
  readonly state: NodeState
  /** Why the node is in a state other than ready. */
  readonly reason: string | null
  /** When it came into this state; epoch. */
  readonly sinceMs: number
  /** Base URL. */
  readonly url: string
  /** Of a launched engine. */
  readonly pid: number | null
  /** Relative capacity. */
  readonly weight: number
  /** Requests at the node right now. */
  readonly inFlight: number
  /** Of those in flight, the ones without a first token. */
  readonly waiting: number
  /** Prompt and expected answer of the requests in flight. */
  readonly tokensInFlight: number
  /** Settled since the balancer started. */
  readonly requests: number
  /** Of those, the ones that failed. */
  readonly errors: number
  /** Time to first token. */
  readonly ttftMs: Quantiles | null
  /** Time per output token after the first. */
  readonly tpotMs: Quantiles | null
  /** Answer tokens, over the last 10 seconds. */
  readonly tokensPerSecond: number
  /** Times that it was started again after a failure. */
  readonly restarts: number
  /** What the engine calls itself. */
  readonly version: string | null
  /** Keys of the accelerators in `gpus` that it was given; null where nobody chose and it sees all. */
  readonly gpus: readonly string[] | null
  /** File with the output of a launched engine. */
  readonly logPath: string | null
  /** What it runs, where its pool has several revisions. */
  readonly revision?: string
  /** What its source says of it. */
  readonly labels?: Readonly<Record<string, string>>
  /** Loading progress, 0..1, where the engine tells. */
  readonly progress: number | null
  /** True where an earlier balancer had launched the engine and this one has taken it over. */
  readonly adopted: boolean
  /** What the check before the launch warned of. */
  readonly warnings: readonly string[]
  /** The last lines of the log of an engine that ended, oldest first; empty once it is ready again. */
  readonly lastLines: readonly string[]
  /** File with what was seen when it was last found to hang; absent: it was not. */
  readonly evidence?: string
  /** What the engine tells of its load; null until it has told. */
  readonly load: NodeLoadStatus | null
}

/** Where the servers of a node group are told while the balancer runs. */
export interface SourceStatus {
  /** Name of the node group. */
  readonly group: string
  /** As the topology names it: `dns:models.internal:8000`. */
  readonly from: string
  /** Servers that it named last. */
  readonly members: number
  /** When it last said so; epoch, null before the first time. */
  readonly updatedAtMs: number | null
  /** Why it cannot be asked or used right now; the servers that it named last stay. */
  readonly error: string | null
  /** Since when; epoch. */
  readonly failingSinceMs: number | null
  /** What of its answer was left out, and why. */
  readonly notes: readonly string[]
}

export interface RetryBudgetStatus {
  /** Tries that brought nothing, or have brought nothing yet. */
  readonly inVain: number
  /** As many may be. */
  readonly allowed: number
  /** Requests that wait until another one may be tried again. */
  readonly waiting: number
}

export interface PoolStatus {
  /** As in the topology. */
  readonly name: string
  /** Names that clients may ask for; the first is canonical. */
  readonly models: readonly string[]
  /** Name of the strategy that chooses. */
  readonly strategy: string
  /** What it says of itself, such as the error of its predictions; absent: nothing. The mean over threads. */
  readonly strategyReport?: Readonly<Record<string, number>>
  /** Sum of the nodes. */
  readonly inFlight: number
  /** Of those in flight, the ones without a first token. */
  readonly waiting: number
  /** Requests that stand in line: the strategy wants no node for them yet, or there is none. */
  readonly inLine?: number
  /** Budget of its tries in vain, over the last 10 seconds and all threads; absent: no request came yet. */
  readonly retries?: RetryBudgetStatus
  /** Settled since the balancer started. */
  readonly requests: number
  /** Of those, the ones that failed. */
  readonly errors: number
  /** Answer tokens, over the last 10 seconds. */
  readonly tokensPerSecond: number
  /** Time to first token. */
  readonly ttftMs: Quantiles | null
  /** Median TTFT of each 5 s slice of the last two minutes, oldest first; null where nothing was answered. */
  readonly ttftHistoryMs: readonly (number | null)[]
  /** In the order of the topology. */
  readonly nodes: readonly NodeStatus[]
  /** Sources of node groups, where the pool has any. */
  readonly sources?: readonly SourceStatus[]
  /** The rollout that runs in it, else the last one since the balancer started. */
  readonly rollout?: RolloutStatus
  /** Groups whose number of nodes was asked for, or follows the load. */
  readonly scale?: readonly ScaleStatus[]
  /** Whether its engines are in memory, where it shares accelerators. */
  readonly residency?: ResidencyStatus
}

/** A request that is refused because engines crashed on it. */
export interface QuarantinedStatus {
  /** Salted hash of its body. */
  readonly fingerprint: string
  /** Where it was sent. */
  readonly pool: string
  /** Size of its body. */
  readonly bytes: number
  /** Nodes that crashed while they served it, oldest first. */
  readonly nodes: readonly string[]
  /** When it is let through again; epoch. */
  readonly untilMs: number
  /** Times that it was refused. */
  readonly refused: number
}

export type BalancerState = 'starting' | 'serving' | 'draining'

/** What `lb status --json` prints. Fields may join, none leaves within version 1. */
export interface BalancerStatus {
  /** Name of the topology. */
  readonly name: string
  /** Of the balancer process. */
  readonly pid: number
  /** Of Plimsoll. */
  readonly version: string
  /** Epoch. */
  readonly startedAtMs: number
  /** Of the balancer as a whole. */
  readonly state: BalancerState
  /** The topology file; null when there is none. */
  readonly file: string | null
  /** Folder of the engines' logs. */
  readonly logDir: string | null
  readonly gateway: {
    /** Base URLs, `http://127.0.0.1:8484`. */
    readonly listen: readonly string[]
    /** Data threads; 0: the main thread serves. */
    readonly threads: number
    /** Over the last 10 seconds. */
    readonly requestsPerSecond: number
    /** Answer tokens, over the last 10 seconds. */
    readonly tokensPerSecond: number
    /** Time to first token, over all pools. */
    readonly ttftMs: Quantiles | null
  }
  /** In the order of the topology. */
  readonly pools: readonly PoolStatus[]
  /** Requests that are refused because engines crashed on them. */
  readonly quarantine?: readonly QuarantinedStatus[]
  /** Accelerators of this machine, read because somebody looked; at most a few seconds old. */
  readonly gpus: readonly GpuStatus[]
  /** Why their tools told less than they could. */
  readonly gpuProblems: readonly GpuProblem[]
}

/** One line of `/v1/events`. */
export interface BalancerEvent {
  /** Epoch. */
  readonly atMs: number
  /** What it is about. */
  readonly kind: 'node' | 'gateway' | 'balancer' | 'rollout' | 'scale' | 'residency'
  /** The pool, for `kind: rollout`, `scale` and `residency`. */
  readonly pool?: string
  /** The node's id, for `kind: node`. */
  readonly node?: string
  /** State before, when it changed. */
  readonly from?: NodeState
  /** State after. */
  readonly to?: NodeState
  /** For people. */
  readonly message: string
}
