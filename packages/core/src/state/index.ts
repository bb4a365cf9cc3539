/**
 * Owns where things are kept: paths, durable files, the lock, the state file. Refuses to know processes; it is handed a way to ask about them.
 * Read first: state-paths.ts, then state-file.ts.
 */
export { readJson, writeFileDurable } from './durable-file.js'
export { sampleOfFiles, sha256OfFiles, type HashOptions } from './file-hashes.js'
export { acquireLock, type Lock } from './lock.js'
export { readWhole } from './read-whole.js'
export {
  readState,
  removeState,
  stateFolderKey,
  writeState,
  type RecordedLaunch,
  type RecordedNode,
  type RecordedProcess,
  type StateFile,
} from './state-file.js'
export { listTopologies, statePaths, stateRoot, type StatePaths } from './state-paths.js'
