/**
 * Owns the judgement of nodes: when to ask an engine how it is and what to make of its answers, who is taken out by how its requests fare, and how it comes
 * back. Refuses to know how requests are placed.
 * Read first: probe-loop.ts, then probe-judge.ts; node-judge.ts, then comeback.ts and pace-book.ts.
 */
export { ProbeLoop, type ProbedNode, type ProbeLoopOptions, type ProbeSettings } from './probe-loop.js'
export { ProbeJudge, type JudgeLimits, type ProbeVerdict } from './probe-judge.js'
export { NodeJudge, type NodeJudgeOptions } from './node-judge.js'
export type { Charge, JudgedNode } from './node-file.js'
export type { AllowedSilence } from './hung/allowed-silence.js'
export { HungWatch, type HungLimits, type HungVerdict, type NodeSigns } from './hung/hung-watch.js'
export { WorkTimes, type WorkSample } from './hung/work-times.js'
