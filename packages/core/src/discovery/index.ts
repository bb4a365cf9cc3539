/**
 * Owns where the servers of a node group are told while the balancer runs: DNS, SRV records, a file, Kubernetes. Refuses to know nodes: it says who the
 * members are and how sure that is; others make them join and leave.
 * Read first: source.ts, then discovery.ts.
 */
export { askSources, type AskedSources } from './ask-sources.js'
export { Discovery } from './discovery.js'
