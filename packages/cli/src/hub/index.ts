/**
 * Owns the fetching of model files from a Hugging Face hub: which files, where they lie, resumed and checked.
 * Refuses to know topologies and engines, and to print. Read first: pull-repository.ts.
 */
export { fetchFromHub } from './fetch-from-hub.js'
export { hubSettings, type HubSettings } from './hub-settings.js'
export { parseHubReference, type HubReference } from './hub-reference.js'
export { pullOverSsh, type SshPlace } from './pull-over-ssh.js'
export { pullRepository, type HubProgress, type PulledRepository } from './pull-repository.js'
