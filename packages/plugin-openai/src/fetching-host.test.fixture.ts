import { createPluginHost, silentLogger } from '@plimsoll/core'

/** The host that the balancer hands to plugins. */
export const fetchingHost = createPluginHost(silentLogger)
