/**
 * Owns virtual time: workloads, a fleet of modelled engines, and the balancer's own belief and strategies between them. Refuses sockets and wall clocks.
 * Read first: workload.ts, simulation-options.ts, simulation.ts.
 */
export { presetNames, type PresetName } from '@plimsoll/engine-model'
export { percentilesOf, type Percentiles } from './percentiles.js'
export { htmlReport, type ReportOptions } from './report/html-report.js'
export { simulate, simulateGrid, type GridOptions } from './simulate.js'
export type { Answered } from './measures.js'
export type { ScaleChange, ScaleResult, SimulatedScale } from './scaling/simulated-scale.js'
export type { BeliefKind, Fault, SimulatedNode, SimulationOptions, StrategyChoice } from './simulation-options.js'
export type { LoadSeries, NodeResult, SimulationResult } from './simulation-result.js'
export { ratioInterval, type RatioInterval } from './tuning/ratio-interval.js'
export { tune, type TunedStrategy, type TuneGoal, type TuneOptions, type TuneResult } from './tuning/tune.js'
export type { PromptRun, Workload, WorkloadRequest } from './workload.js'
export { logTrace } from './workloads/log-trace.js'
export { readPlain } from './workloads/read-trace.js'
export { isRequestLog, parseRequestLog, type LoggedRequest, type RequestLog } from './workloads/request-log.js'
export {
  blindSource,
  openSource,
  sourceNames,
  traceSource,
  type WorkloadRequestOptions,
  type WorkloadSource,
} from './workloads/workload-source.js'
