import { builtinStrategies, defaultStrategyName, messageOf, type StrategyPlugin } from '@plimsoll/core'
import type { ListedStrategy } from '../views/strategy-text.js'
import { installedStrategies, loadStrategies, type InstalledStrategy } from './strategy-catalogue.js'

/** The strategies that come with lb, in their order, then those of plugins. One that does not load says why in the place of its summary. */
export async function listStrategies(pluginRoots: readonly string[] = []): Promise<ListedStrategy[]> {
  const { strategies, faults } = installedStrategies(pluginRoots)
  const brought = await Promise.all([...strategies.values()].map((each) => listedFrom(each)))
  const broken = faults.flatMap(({ packageName, strategies: names, error }) => names.map((name) => unusable(name, packageName, error)))
  return [...builtinStrategies.map((plugin) => listed(plugin, null)), ...brought, ...broken]
}

function listed({ name, aliases = [], summary, settings }: StrategyPlugin, packageName: string | null): ListedStrategy {
  return { name, aliases, summary, settings, isDefault: name === defaultStrategyName, packageName }
}

async function listedFrom(installed: InstalledStrategy): Promise<ListedStrategy> {
  try {
    const [plugin] = await loadStrategies([installed])
    return listed(plugin as StrategyPlugin, installed.packageName)
  } catch (error) {
    return unusable(installed.strategy, installed.packageName, error)
  }
}

function unusable(name: string, packageName: string, error: unknown): ListedStrategy {
  return { name, aliases: [], summary: messageOf(error), settings: {}, isDefault: false, packageName }
}
