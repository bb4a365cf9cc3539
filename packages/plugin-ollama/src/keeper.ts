import type { ModelKeeper } from '@plimsoll/core/plugin'
import { load, unload } from './memory.js'
import { isSameModel } from './model-names.js'
import { pull } from './pull.js'
import { loadedAt, type Server, tagsAt } from './server-facts.js'

/** Models of one server: what it has, and how to change that. `keepAlive` is how long a loaded one stays; undefined leaves that to the server. */
export function createKeeper(server: Server, keepAlive: string | number | undefined): ModelKeeper {
  return {
    async list(signal) {
      const [tags = [], loaded = []] = await Promise.all([tagsAt(server, signal), loadedAt(server, signal)])
      return tags
        .filter(({ isCloud }) => !isCloud)
        .map(({ isCloud: _isCloud, ...tag }) => {
          const inMemory = loaded.find(({ name }) => isSameModel(name, tag.name))
          return { ...tag, ...inMemory, name: tag.name, loaded: inMemory !== undefined }
        })
    },
    pull: (model, options) => pull(server, model, options),
    load: (model, signal) => load(server, model, { signal, ...(keepAlive === undefined ? {} : { keepAlive }) }),
    unload: (model, signal) => unload(server, model, signal),
  }
}
