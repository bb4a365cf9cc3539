import type { RestReason } from './pool-view.js'

/** What has happened to a pool, for whoever counts. */
export type ResidencyNews =
  | { readonly kind: 'rests'; readonly pool: string; readonly reason: RestReason }
  | { readonly kind: 'awake'; readonly pool: string; readonly afterMs: number }
  | { readonly kind: 'not-awake'; readonly pool: string }
