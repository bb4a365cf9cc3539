import type { GpuWish } from './gpu-wish.js'
import type { AttachSource } from './attach-source.js'
import type { HealthPlan } from './health-plan.js'
import type { ResidencyPlan } from './residency-plan.js'
import type { RetryPlan } from './retry-plan.js'
import type { RolloutPlan } from './rollout-plan.js'
import type { ScalePlan } from './scale-plan.js'
import type { SplitPlan } from './split-plan.js'
import type { WarmUpPlan } from './warm-up-plan.js'

/** A secret is named, never written: the name of an environment variable, or an absolute path of a file that holds it. */
export type SecretRef = { readonly env: string } | { readonly file: string }

export type ListenAddress =
  | {
      readonly kind: 'tcp'
      /** Without brackets, also for IPv6. */ readonly host: string
      /** 0 lets the system choose. */ readonly port: number
    }
  | { readonly kind: 'unix'; /** Absolute. */ readonly path: string }

/** A topology with every default filled in and every number in the unit of its name; frozen plain data, the same after a trip through JSON. */
export interface Topology {
  readonly version: 1
  readonly name: string
  /** Absolute path of the file that declared it; absent where a program did. */
  readonly file?: string
  readonly gateway: GatewayPlan
  readonly pools: readonly PoolPlan[]
}

export interface GatewayPlan {
  /** At least one; in declared order. */
  readonly listen: readonly ListenAddress[]
  /** Empty: no key is asked for. */
  readonly apiKeys: readonly SecretRef[]
  /** True where listening beyond loopback without keys is meant. */
  readonly open: boolean
  /** Data threads, 1 to 64; `auto`: one for each core. */
  readonly workers: number | 'auto'
  /** IP addresses, CIDR networks, or `unix`: whose word about a client's address counts. */
  readonly trustedProxies: readonly string[]
  readonly cors?: { /** As browsers send them; a lone `*` is every one. */ readonly origins: readonly string[]; readonly maxAgeMs: number }
  /** Absolute. Absent: plain HTTP. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  readonly connectionsPerAddress: number
  readonly maxConnections: number
  /** Silence of a stream before a comment is sent; 0: none is. */
  readonly heartbeatMs: number
  readonly maxBodyBytes: number
  /** Sum over all requests that are buffered at one moment. */
  readonly maxBodiesBytes: number
  readonly zone?: string
  /** Share of requests whose routing decision is kept, 0..1. */
  readonly traceShare: number
  readonly requestLog?: { /** Absolute. */ readonly file: string; readonly maxBytes: number; readonly keep: number }
}

export interface StrategyPlan {
  readonly name: string
  /** Not yet checked against the strategy's own schema defaults where the catalogue does not know it. */
  readonly settings: Readonly<Record<string, unknown>>
}

export interface PoolPlan {
  readonly name: string
  /** Names that clients may ask for; the first is canonical. Never empty. */
  readonly models: readonly string[]
  readonly strategy: StrategyPlan
  /** Never empty; names are unique in the pool. */
  readonly groups: readonly GroupPlan[]
  /** Lower case; read before the other headers that name a conversation. */
  readonly sessionHeader?: string
  readonly requireLabels?: Readonly<Record<string, string>>
  /** Requests that no node is wanted for wait here; `max` in each data thread. */
  readonly line: { readonly max: number; readonly longestMs: number }
  /** How a prompt goes from a node that computes it to the one that answers; there where a group has the role `prefill`. */
  readonly handover?: { readonly minPromptTokens: number; readonly orServe: boolean }
  /** What happens when a node fails a request, or none is there for it. */
  readonly retries: RetryPlan
  /** How a begun stream is gone on with after its node went away. */
  readonly continuation: 'exact' | 'text' | 'off'
  readonly timeouts: { readonly connectMs: number; readonly firstTokenMs: number; readonly idleMs: number }
  readonly health: HealthPlan
  readonly drainMs: number
  /** How a new revision of its nodes goes live; absent: as `lb rollout` takes it where nothing is said. */
  readonly rollout?: RolloutPlan
  /** Its engines rest while nobody asks for them; absent: they stay. */
  readonly residency?: ResidencyPlan
  /** How requests are parted between revisions; never declared, a rollout brings it. */
  readonly split?: SplitPlan
  /** Somebody brings a node up where a request finds none: requests wait for so long. Never declared: scale and residency bring it. */
  readonly wake?: { readonly withinMs: number }
}

export interface LaunchSettings {
  /** 1 to 1024; of a group that is scaled, the most that there may be. */
  readonly replicas: number
  /** Which of them there are right now, by number; absent: all. Never declared: rollouts and scale bring it. */
  readonly slots?: readonly number[]
  /** How many there are follows the load. */
  readonly scale?: ScalePlan
  /** The weights to load, as the engine names them. */
  readonly model?: string
  /** Runs instead of the engine's own command; the whole command line where it names `${PORT}`. Never empty. */
  readonly command?: readonly string[]
  /** Absolute. */
  readonly venv?: string
  /** Path that answers 200 once requests would be served. */
  readonly readyPath?: string
  /** `launch.args` with the plugin's defaults filled in. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | SecretRef>>
  /** Absent: the engine sees all. */
  readonly gpus?: GpuWish
  /** Absent: what the engine's plugin asks for. */
  readonly readyWithinMs?: number
  readonly restarts: { readonly max: number; readonly withinMs: number }
}

/** Another machine on which engines are launched. */
export interface HostPlan {
  /** As the node group says it. */
  readonly name: string
  readonly ssh: { readonly host: string; readonly user?: string; readonly port?: number }
  /** Absolute; used in the place of the user's own configuration of ssh. */
  readonly sshConfig?: string
  /** Address at which engines there are reached directly; absent: through a port that ssh forwards. */
  readonly directAddress?: string
  /** Absolute, over there. */
  readonly venv?: string
  /** Absolute, over there: where weights lie that are named from `./` on. */
  readonly modelDir?: string
}

/** One declared entry of `nodes`: replicas of one engine. Exactly one of `launch`, `attach` and `source` is there. */
export interface GroupPlan {
  readonly name: string
  readonly engine: string
  readonly weight: number
  /** The model's name at these nodes, where it differs from what clients say. */
  readonly model?: string
  readonly apiKey?: SecretRef
  readonly launch?: LaunchSettings
  /** Where to launch; absent: here. */
  readonly host?: HostPlan
  /** Base URL without a trailing slash; a path stays as a prefix. */
  readonly attach?: { readonly url: string }
  /** Tells its servers while the balancer runs; each becomes an attached group then. */
  readonly source?: AttachSource
  readonly zone?: string
  readonly role?: 'prefill' | 'decode'
  /** What a new node computes before it takes requests; absent: nothing. */
  readonly warmUp?: WarmUpPlan
  /** In one currency, per million tokens. */
  readonly price?: { readonly promptPerMillion: number; readonly outputPerMillion: number }
  /** Declared, and what a source says of a member, which wins. */
  readonly labels?: Readonly<Record<string, string>>
  /** A member of a higher rank gets requests only while the pool has no ready node of a lower one; absent: 0. */
  readonly rank?: number
  /** Names what these nodes run where a pool has several revisions: `r2`; unique in the pool. Never declared: a rollout brings it. */
  readonly revision?: string
  /** The declared group that this is a revision of; absent: it is the declared one itself. */
  readonly revisionOf?: string
  /** Its engines rest: they take no requests and give their memory back. Never declared: residency brings it. */
  readonly rests?: true
}

/** Ids of a group's nodes: `pool/group` for one, `pool/group-0` to `-n-1` for several; none while its source has told nobody. */
export function nodeIdsOf(pool: { readonly name: string }, group: GroupPlan): readonly string[] {
  return group.source === undefined ? slotsOf(group).map((slot) => nodeIdOf(pool, group, slot)) : []
}

/** The numbers of a group's replicas that there are right now. */
export function slotsOf({ launch }: GroupPlan): readonly number[] {
  return launch?.slots ?? Array.from({ length: launch?.replicas ?? 1 }, (_, slot) => slot)
}

/** The id of one replica, whether it is there or not. It stays the same however many others there are. */
export function nodeIdOf(pool: { readonly name: string }, { name, launch }: GroupPlan, slot: number): string {
  const base = `${pool.name}/${name}`
  return slot === 0 && (launch?.replicas ?? 1) === 1 ? base : `${base}-${slot}`
}
