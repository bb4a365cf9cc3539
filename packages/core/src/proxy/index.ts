/**
 * Owns the corridor of one request: accept, admit, pick, forward, account. Refuses to know how nodes live and how clients are let in.
 * Read first: pipeline.ts, then attempts.ts and answer.ts.
 */
export { createProxy, type Proxy } from './create-proxy.js'
export type { PoolDirectory, PoolRoute, ProxyOptions, ProxyRequest } from './proxy-context.js'
export { QuarantineOffice, type DeskWord, type OfficeWord, type Quarantined, type Sentence } from './quarantine/index.js'
export type { BudgetState } from './retries/retry-budget.js'
export type { KeptPrompt } from './hot-prompts/index.js'
export { createRecordRing, type RecordRing } from './record-ring.js'
