import { pathToFileURL } from 'node:url'
import { LbError, messageOf, type EnginePlugin } from '@plimsoll/core'

/** Imports the plugin modules that a topology uses. A module that fails is named. */
export async function importEngines(modules: Readonly<Record<string, string>>): Promise<EnginePlugin[]> {
  return Promise.all(Object.entries(modules).map(([engine, path]) => importEngine(engine, path)))
}

async function importEngine(engine: string, path: string): Promise<EnginePlugin> {
  const module = await load(engine, path)
  const plugin = module['plugin'] as Partial<EnginePlugin> | undefined
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.createBackend !== 'function')
    throw bad(engine, path, 'it has no export `plugin` with createBackend')
  if (plugin.apiVersion !== 1) throw bad(engine, path, `it speaks plugin API ${String(plugin.apiVersion)}, this lb speaks 1`)
  if (plugin.engine !== engine) throw bad(engine, path, `it says that it brings \`${String(plugin.engine)}\``)
  return plugin as EnginePlugin
}

async function load(engine: string, path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (cause) {
    throw bad(engine, path, messageOf(cause))
  }
}

function bad(engine: string, path: string, why: string): LbError {
  return new LbError(`the plugin for engine \`${engine}\` does not load: ${why}`, {
    code: 'LB_BAD_PLUGIN',
    source: 'operator',
    hint: `look at ${path}, or reinstall it with \`lb plugins install\``,
  })
}
