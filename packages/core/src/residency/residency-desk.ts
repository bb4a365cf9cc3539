import type { ResidencyStatus } from './residency-status.js'

/** What people may ask of pools that share accelerators. */
export interface ResidencyDesk {
  /** Puts it to rest once its work has ended. Throws LB_UNKNOWN_POOL, or LB_CANNOT_UNLOAD with the reason. */
  unload(pool: string): Promise<ResidencyStatus>
  list(): readonly ResidencyStatus[]
}
