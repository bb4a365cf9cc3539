import type { Gpu } from '../contracts/index.js'
import type { ProcessIdentity } from '../machines/index.js'

/** The accelerators of one launch. */
export interface GpuSeat {
  /** In the order in which the engine sees them. */
  readonly gpus: readonly Gpu[]
  /** The engine runs: its reservation lives as long as it does. */
  started(engine: ProcessIdentity): void
  /** The engine has ended; or it sleeps, and keeps a little of their memory. */
  release(keepsSome?: boolean): void
}

/** What a launch tells the desk besides its plan. */
export interface SeatWish {
  /** Value of LB_NODE of the engine. */
  readonly mark: string
  /** Told what is waited for. */
  readonly say: (what: string) => void
  /** False ends the waiting. */
  readonly wanted: () => boolean
}

/** An engine of an earlier balancer, as it was written down. */
export interface AdoptedEngine {
  readonly mark: string
  readonly identity: ProcessIdentity
  readonly gpus: readonly Gpu[]
}
