/**
 * Owns how a vLLM-like engine spends time and cache. Refuses to know clocks, sockets and text: a driver tells it when a step starts and ends, or what time it is.
 * Read first: engine-model.ts.
 */
export { chainBlocks } from './chain-blocks.js'
export { createEngineModel, type EngineModel, type StepOutcome } from './engine-model.js'
export type { EngineModelOptions } from './engine-options.js'
export type { ModelStats } from './model-stats.js'
export { enginePresets, presetNames, type EnginePreset, type PresetName } from './presets.js'
export type { VirtualRun } from './run-chain.js'
export type { ModelRequest, SequenceView } from './sequence.js'
export { stepMs, type StepCosts, type StepWork } from './step-time.js'
export type { VirtualEngine, VirtualEngineEvents, VirtualRequest } from './virtual-contract.js'
export { createVirtualEngine } from './virtual-engine.js'
