import { LbError, type MetricPlugin } from '@plimsoll/core'
import { importModule } from './import-module.js'

/** Imports the metrics that a topology uses, by name. Throws LB_BAD_PLUGIN for the first that does not load. */
export function importMetrics(modules: Readonly<Record<string, string>>): Promise<readonly MetricPlugin[]> {
  return Promise.all(Object.entries(modules).map(([name, path]) => importMetric(name, path)))
}

async function importMetric(name: string, path: string): Promise<MetricPlugin> {
  const fail = (why: string): LbError => bad(name, path, why)
  const plugin = (await importModule(path, fail))['metric'] as Partial<MetricPlugin> | undefined
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.evaluate !== 'function')
    throw fail('it has no export `metric` with evaluate')
  if (plugin.name !== name) throw fail(`it says that it is \`${String(plugin.name)}\``)
  if (typeof plugin.settings !== 'object' || plugin.settings === null) throw fail('it has no schema of its settings')
  return plugin as MetricPlugin
}

function bad(name: string, path: string, why: string): LbError {
  return new LbError(`the plugin for metric \`${name}\` does not load: ${why}`, {
    code: 'LB_BAD_PLUGIN',
    source: 'operator',
    hint: `look at ${path}, or reinstall it with \`lb plugins install\``,
  })
}
