/**
 * Owns the judgement of nodes: when to ask an engine how it is, and what to make of its answers. Refuses to know what follows from a verdict.
 * Read first: probe-loop.ts, then probe-judge.ts.
 */
export { ProbeLoop, type ProbedNode, type ProbeLoopOptions, type ProbeSettings } from './probe-loop.js'
export { ProbeJudge, type JudgeLimits, type ProbeVerdict } from './probe-judge.js'
