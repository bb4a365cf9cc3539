/**
 * Owns how a vLLM-like engine spends time and cache. Refuses to know clocks, sockets and text: a driver tells it when a step starts and ends.
 * Read first: engine-model.ts.
 */
export { chainBlocks } from './chain-blocks.js'
export { createEngineModel, type EngineModel, type EngineModelOptions, type ModelStats, type StepOutcome } from './engine-model.js'
export { enginePresets, presetNames, type EnginePreset, type PresetName } from './presets.js'
export type { ModelRequest, SequenceView } from './sequence.js'
export { stepMs, type StepCosts, type StepWork } from './step-time.js'
export {
  createVirtualEngine,
  type VirtualEngine,
  type VirtualEngineEvents,
  type VirtualRequest,
  type VirtualRun,
} from './virtual-engine.js'
