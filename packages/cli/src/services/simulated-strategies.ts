import { createStrategyRegistry, type StrategyRegistry } from '@plimsoll/core'
import { installedStrategies, loadStrategies } from './strategy-catalogue.js'

/** The built-in strategies and those of plugins. Throws LB_BAD_PLUGIN where one of these does not load. */
export async function simulatedStrategies(pluginRoots: readonly string[]): Promise<StrategyRegistry> {
  const { strategies } = installedStrategies(pluginRoots)
  return createStrategyRegistry(await loadStrategies([...strategies.values()]))
}
