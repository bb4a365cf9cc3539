import type { DrainRecipe } from '@plimsoll/core/plugin'
import { askToUnload } from './memory.js'
import type { Readiness } from './readiness.js'
import { loadedAt, type Server } from './server-facts.js'

/**
 * Ollama counts nothing, but a model that was told to go stays until its last request has ended: so it is empty when nothing is in memory any more.
 * The server itself would cut everything at SIGTERM.
 */
export function drainRecipe(server: Server, readiness: Readiness): DrainRecipe {
  return {
    async isEmpty(signal) {
      readiness.drains()
      const loaded = await loadedAt(server, signal)
      if (loaded === undefined) return false
      await Promise.all(loaded.map(({ name }) => askToUnload(server, name, signal)))
      return loaded.length === 0
    },
  }
}
