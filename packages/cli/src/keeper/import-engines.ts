import { isLbError, LbError, messageOf, type EnginePlugin } from '@plimsoll/core'
import { importModule } from './import-module.js'

export interface ImportedEngines {
  /** One for each module, in order. */
  readonly plugins: readonly EnginePlugin[]
  /** Why the module of an engine does not load; a stand-in is in its place, whose nodes fail with the reason. */
  readonly broken: ReadonlyMap<string, LbError>
}

/** Imports the plugin modules that a topology uses. One that fails hurts only its own nodes. */
export async function importEngines(modules: Readonly<Record<string, string>>): Promise<ImportedEngines> {
  const broken = new Map<string, LbError>()
  const plugins = Object.entries(modules).map(async ([engine, path]) => {
    try {
      return await importEngine(engine, path)
    } catch (thrown) {
      const error = isLbError(thrown) ? thrown : bad(engine, path, messageOf(thrown))
      broken.set(engine, error)
      return standIn(engine, error)
    }
  })
  return { plugins: await Promise.all(plugins), broken }
}

async function importEngine(engine: string, path: string): Promise<EnginePlugin> {
  const module = await importModule(path, (why) => bad(engine, path, why))
  const plugin = module['plugin'] as Partial<EnginePlugin> | undefined
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.createBackend !== 'function')
    throw bad(engine, path, 'it has no export `plugin` with createBackend')
  if (plugin.apiVersion !== 1) throw bad(engine, path, `it speaks plugin API ${String(plugin.apiVersion)}, this lb speaks 1`)
  if (plugin.engine !== engine) throw bad(engine, path, `it says that it brings \`${String(plugin.engine)}\``)
  return plugin as EnginePlugin
}

/** Takes any settings: which are right is not known. */
function standIn(engine: string, error: LbError): EnginePlugin {
  return {
    apiVersion: 1,
    engine,
    settings: { type: 'object', additionalProperties: true },
    canLaunch: true,
    summary: error.message,
    detect: () => Promise.resolve({ found: false, detail: error.message }),
    createBackend: () => {
      throw error
    },
  }
}

function bad(engine: string, path: string, why: string): LbError {
  return new LbError(`the plugin for engine \`${engine}\` does not load: ${why}`, {
    code: 'LB_BAD_PLUGIN',
    source: 'operator',
    hint: `look at ${path}, or reinstall it with \`lb plugins install\``,
  })
}
