import { createStrategyRegistry, type StrategyPlugin, type StrategyRegistry } from '@plimsoll/core'
import { installedStrategies, loadStrategies } from './strategy-catalogue.js'

/** The built-in strategies and those of plugins. One that does not load is missing, unless it stands in `asked`: then throws LB_BAD_PLUGIN. */
export async function simulatedStrategies(
  pluginRoots: readonly string[],
  ...asked: readonly (string | undefined)[]
): Promise<StrategyRegistry> {
  const { strategies, faults } = installedStrategies(pluginRoots)
  const isAsked = (name: string): boolean => asked.some((text) => text?.includes(name))
  const fault = faults.find(({ strategies: names }) => names.some(isAsked))
  if (fault !== undefined) throw fault.error
  const loaded: StrategyPlugin[] = []
  for (const each of strategies.values()) {
    try {
      loaded.push(...(await loadStrategies([each])))
    } catch (error) {
      if (isAsked(each.strategy)) throw error
    }
  }
  return createStrategyRegistry(loaded)
}
