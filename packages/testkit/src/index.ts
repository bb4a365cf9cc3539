/**
 * Owns what tests of plugins share: the contracts of engines, strategies and metrics as lists of rules, loopback servers that answer as told, the host that plugins get.
 * Refuses to know any engine and any test runner. Read first: contract.ts, strategy-contract.ts, metric-contract.ts.
 */
export { engineContract, type ContractRule } from './contract.js'
export type { ContractSubject, StartedServer } from './contract-subject.js'
export { metricContract, type MetricSubject } from './metric-contract.js'
export { fetchingHost, recordingHost, type RecordingHost } from './plugin-hosts.js'
export { startRawServer, type RawServer } from './raw-server.js'
export { recordedExchange, type RecordedExchange } from './recorded-exchange.js'
export { startScriptedServer, type ScriptedServer } from './scripted-server.js'
export { pickCosts, strategyContract, type StrategySubject } from './strategy-contract.js'
