import type { ScaleStatus } from './scale-status.js'

/** What people may ask of the number of nodes. */
export interface ScaleDesk {
  /** So many replicas from now on; a group that follows its load does so within this floor. Throws LB_UNKNOWN_POOL, LB_UNKNOWN_GROUP, LB_CANNOT_SCALE. */
  scale(pool: string, replicas: number, group?: string): Promise<ScaleStatus>
  list(): readonly ScaleStatus[]
}
