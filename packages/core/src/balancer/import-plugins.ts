import type { EnginePlugin, StrategyPlugin } from '../contracts/index.js'
import { LbError, messageOf } from '../errors/index.js'

type Modules = Readonly<Record<string, string>>

/** The plugins of engines, by name, from the URLs of their modules: functions cannot cross between threads. Throws LB_BAD_PLUGIN. */
export async function importEngines(modules: Modules): Promise<ReadonlyMap<string, EnginePlugin>> {
  const engines = Object.entries(modules).map(async ([engine, url]) => {
    const plugin = (await importFrom(url, { member: 'plugin', what: `engine \`${engine}\`` })) as EnginePlugin
    return [engine, plugin] as const
  })
  return new Map(await Promise.all(engines))
}

/** The strategies of plugins. Throws LB_BAD_PLUGIN. */
export async function importStrategies(modules: Modules): Promise<readonly StrategyPlugin[]> {
  const strategies = Object.entries(modules).map(([name, url]) => importFrom(url, { member: 'strategy', what: `strategy \`${name}\`` }))
  return (await Promise.all(strategies)) as StrategyPlugin[]
}

/** The main thread has its own copy and has checked that; a module may still fail in a thread alone. */
async function importFrom(url: string, { member, what }: { readonly member: string; readonly what: string }): Promise<unknown> {
  try {
    const module = (await import(url)) as Readonly<Record<string, unknown>>
    if (module[member] === undefined) throw new Error(`it has no export \`${member}\``)
    return module[member]
  } catch (cause) {
    throw new LbError(`the plugin for ${what} does not load in a data thread: ${messageOf(cause)}`, {
      code: 'LB_BAD_PLUGIN',
      source: 'operator',
      hint: `look at ${url}`,
      cause,
    })
  }
}
