import { LbError, type StrategyPlugin } from '@plimsoll/core'
import { importModule } from './import-module.js'

/** Imports the strategies that a topology uses, by name. Throws LB_BAD_PLUGIN for the first that does not load: a pool without its strategy cannot serve. */
export function importStrategies(modules: Readonly<Record<string, string>>): Promise<readonly StrategyPlugin[]> {
  return Promise.all(Object.entries(modules).map(([name, path]) => importStrategy(name, path)))
}

async function importStrategy(name: string, path: string): Promise<StrategyPlugin> {
  const fail = (why: string): LbError => bad(name, path, why)
  const plugin = (await importModule(path, fail))['strategy'] as Partial<StrategyPlugin> | undefined
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.create !== 'function')
    throw fail('it has no export `strategy` with create')
  if (plugin.name !== name) throw fail(`it says that it is \`${String(plugin.name)}\``)
  if (typeof plugin.settings !== 'object' || plugin.settings === null) throw fail('it has no schema of its settings')
  return plugin as StrategyPlugin
}

function bad(name: string, path: string, why: string): LbError {
  return new LbError(`the plugin for strategy \`${name}\` does not load: ${why}`, {
    code: 'LB_BAD_PLUGIN',
    source: 'operator',
    hint: `look at ${path}, or reinstall it with \`lb plugins install\``,
  })
}
