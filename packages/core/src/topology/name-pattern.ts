/** Names of topologies, pools and node groups: they stand in ids, file names and host names. */
export const namePattern = '^[a-z0-9][a-z0-9-]{0,62}$'
