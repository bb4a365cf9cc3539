import type { Detection } from '@plimsoll/core/plugin'

/**
 * Is the engine on this machine? For `lb init` and `lb engines`: quick (under 2 s), and nothing is started. This one comes with the plugin.
 * For a command on PATH: `const path = await onPath('my-server')` from '@plimsoll/core/plugin'; for one that runs: `host.get(...)`.
 */
export function detect(): Promise<Detection> {
  return Promise.resolve({ found: true, detail: 'comes with lb-plugin-__NAME__' })
}
