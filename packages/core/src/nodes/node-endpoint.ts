import type { Backend, HeaderView, LoadFacts, UpstreamTarget } from '../contracts/index.js'
import type { ProcessIdentity } from '../machines/index.js'
import type { RecordedLaunch } from '../state/index.js'

/** What runs behind a node right now. */
export interface NodeEndpoint {
  readonly url: string
  readonly target: UpstreamTarget
  readonly backend: Backend
  /** Headers that carry the node's key. */
  readonly authHeaders: HeaderView
  readonly process?: ProcessIdentity
  readonly mark: string
  readonly logPath?: string
  /** Of a launched engine: what a later balancer needs to take it over. */
  readonly launch?: RecordedLaunch
  /** True where an earlier balancer had launched it. */
  readonly adopted?: boolean
}

/** What an engine said of its load, and when. */
export interface NodeLoad {
  readonly facts: LoadFacts
  /** Monotonic. */
  readonly atMs: number
}
