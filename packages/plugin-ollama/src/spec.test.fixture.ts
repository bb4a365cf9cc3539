import { createPluginHost, silentLogger } from '@plimsoll/core'
import type { Backend, NodeSpec } from '@plimsoll/core/plugin'
import { plugin } from './index.js'
import { defaults, type OllamaSettings } from './settings.js'

/** The host that the balancer hands to plugins. */
export const fetchingHost = createPluginHost(silentLogger)

export const soon = (): AbortSignal => AbortSignal.timeout(10_000)

type Spec = NodeSpec<Partial<OllamaSettings>>

export function attached(url: string, more: Partial<Spec> = {}): Backend {
  return plugin.createBackend({ id: 'chat/here', url, models: ['llama3.2'], settings: {}, ...more }, fetchingHost)
}

export function launched(url: string, settings: Partial<OllamaSettings> = {}, more: Partial<Spec> = {}): Backend {
  return attached(url, { settings: { ...defaults, ...settings }, ...more })
}
