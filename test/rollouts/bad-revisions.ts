/** Row b2 of the promises: the ten ways in which a new revision is worse, as a launch of the simulated engine, and how fast each must be back. */
import type { Rehearsed } from './rehearsal.js'

/** What it may take. Canary requests are tries at nodes of the new revision. */
export interface Allowance {
  readonly withinMs?: number
  readonly canaryRequests?: number
}

export interface BadRevision {
  readonly name: string
  readonly set: Readonly<Record<string, string | number>>
  /** Any of them is enough. */
  readonly allowed: readonly Allowance[]
  /** As it stands beside the figure. */
  readonly promise: string
}

/** `launch.readyWithin` of the pools of these tests. */
export const READY_WITHIN_MS = 6_000

const ends = {
  allowed: [{ withinMs: READY_WITHIN_MS + 5_000 }],
  promise: `back within the readiness budget + 5 s (${(READY_WITHIN_MS + 5_000) / 1_000} s)`,
}
const hard = { allowed: [{ withinMs: 30_000 }, { canaryRequests: 50 }], promise: 'back within 30 s or 50 canary requests' }
const fault = (text: string, more: Readonly<Record<string, number>> = {}) => ({ 'launch.args.fault': text, ...more })

export const badRevisions: readonly BadRevision[] = [
  { name: 'exits on load', set: fault('exit-on-load', { 'launch.args.loadMs': 500 }), ...ends },
  { name: 'hangs loading', set: fault('hang-on-load'), ...ends },
  { name: 'crash loop', set: fault('die-after:1500'), ...ends },
  { name: 'healthy but 500s', set: fault('errors:100%'), ...hard },
  { name: '5 % errors', set: fault('errors:5%'), allowed: [{ canaryRequests: 300 }], promise: 'back within 300 canary requests' },
  { name: 'empty outputs', set: fault('empty'), ...hard },
  { name: 'repeated garbage', set: fault('repeat'), ...hard },
  { name: 'TTFT x3', set: fault('ttft:3'), allowed: [{ canaryRequests: 150 }], promise: 'back within 60 canary requests (60 to 150)' },
  { name: 'wrong model id', set: fault('wrong-model'), ...hard },
  { name: 'smaller context', set: { 'launch.args.contextTokens': 256 }, ...hard },
]

export function isKept({ allowed }: BadRevision, { tookMs, canaryRequests }: Rehearsed): boolean {
  return allowed.some((one) => tookMs <= (one.withinMs ?? Infinity) && canaryRequests <= (one.canaryRequests ?? Infinity))
}
