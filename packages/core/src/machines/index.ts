/**
 * Owns processes and their trees, ports, log files and the environment of engines. Refuses to know what an engine or a node is.
 * Read first: spawn-engine.ts, then stop-tree.ts.
 */
export { baseEnvironment } from './base-environment.js'
export { localMachine, type GpuMachine, type ToolRun } from './gpus/gpu-machine.js'
export { GpuReservations, type GpuHold, type LiveClaim } from './gpus/gpu-reservations.js'
export { createGpuWatch, type GpuReading, type GpuWatch, type SeenGpu } from './gpus/gpu-watch.js'
export type { GpuProblem, MachineGpu } from './gpus/machine-gpu.js'
export { allowedGpus, isNamed, visibilityEnv, withoutVisibility } from './gpus/visible-gpus.js'
export { isSameProcess, ownIdentity, processIdentity, type ProcessIdentity } from './identity.js'
export { diskTrafficOf } from './loading-traffic.js'
export { fileSize, openAppendLog, rotateIfLarger, tailFile, tailText } from './log-files.js'
export { findMarked, MARK_VARIABLE, type MarkedProcess } from './marks.js'
export { onPath } from './on-path.js'
export { oomKills } from './oom-kills.js'
export { proveOwnEngine, type EngineProof } from './own-engine.js'
export { canBind, reclaimPort, reservePort, type PortReservation } from './ports.js'
export { commandLineOf, ownerOf } from './process-facts.js'
export { spawnEngine, type ProcessEnd, type SpawnedProcess, type SpawnRequest } from './spawn-engine.js'
export { stopTree, type StopTreeOptions, type StopTreeResult } from './stop-tree.js'
export { watchProcess } from './watch-process.js'
