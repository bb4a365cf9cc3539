/**
 * Owns processes and their trees, ports, log files and the environment of engines. Refuses to know what an engine or a node is.
 * Read first: spawn-engine.ts, then stop-tree.ts.
 */
export { baseEnvironment } from './base-environment.js'
export { isSameProcess, ownIdentity, processIdentity, type ProcessIdentity } from './identity.js'
export { openAppendLog, rotateIfLarger, tailFile } from './log-files.js'
export { onPath } from './on-path.js'
export { canBind, reservePort, type PortReservation } from './ports.js'
export { spawnEngine, type ProcessEnd, type SpawnedProcess, type SpawnRequest } from './spawn-engine.js'
export { stopTree, type StopTreeOptions, type StopTreeResult } from './stop-tree.js'
