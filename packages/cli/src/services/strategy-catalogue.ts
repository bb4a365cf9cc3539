import { builtinStrategies, isLbError, LbError, messageOf, type StrategyPlugin } from '@plimsoll/core'
import { importStrategies } from '../keeper/import-strategies.js'
import { keepCoreLink } from './core-link.js'
import { manifestIn } from './engine-catalogue.js'
import { badPlugin, declaredModules, moduleOf, namedModules } from './plugin-manifest.js'

/** A strategy that an installed package says it brings; known from its package.json alone, no code of it has run. */
export interface InstalledStrategy {
  readonly strategy: string
  readonly packageName: string
  readonly packageVersion: string
  /** Absolute path of the module that exports `strategy`. */
  readonly modulePath: string
}

/** A package whose strategies cannot be used. */
export interface StrategyFault {
  readonly packageName: string
  /** Names that it would bring, as far as they can be read. */
  readonly strategies: readonly string[]
  readonly error: LbError
}

export interface StrategyInventory {
  readonly strategies: ReadonlyMap<string, InstalledStrategy>
  readonly faults: readonly StrategyFault[]
}

/** Strategies of the plugins in `pluginRoots`, by name. Two of one name, or one of the name of a built-in, are no strategy at all: load order must not decide. */
export function installedStrategies(pluginRoots: readonly string[]): StrategyInventory {
  const owners = new Map<string, string>(
    builtinStrategies.flatMap(({ name, aliases = [] }) => [name, ...aliases].map((word) => [word, 'lb itself'] as const)),
  )
  const strategies = new Map<string, InstalledStrategy>()
  const faults: StrategyFault[] = []
  for (const folder of pluginRoots) {
    for (const found of strategiesOrFault(folder, faults)) {
      const owner = owners.get(found.strategy)
      if (owner === undefined) strategies.set(found.strategy, found)
      else faults.push(clash(found, owner))
      owners.set(found.strategy, owner ?? found.packageName)
    }
  }
  for (const { error, strategies: names } of faults)
    if (error.code === 'LB_STRATEGY_DUPLICATE') for (const name of names) strategies.delete(name)
  return { strategies, faults }
}

/** The strategies of one package folder. Throws LB_BAD_PLUGIN. */
export function strategiesIn(folder: string): InstalledStrategy[] {
  const manifest = manifestIn(folder)
  const packageName = manifest.name ?? folder
  return Object.entries(declaredModules(manifest, folder, 'strategies')).map(([strategy, path]) => {
    const modulePath = moduleOf(folder, path, { packageName, what: `strategy \`${strategy}\`` })
    return { strategy, packageName, packageVersion: manifest.version ?? '', modulePath }
  })
}

/** Strategy name to module path, as the balancer process takes it. */
export function strategyModules(strategies: readonly InstalledStrategy[]): Record<string, string> {
  return Object.fromEntries(strategies.map((each) => [each.strategy, each.modulePath]))
}

/** Imports the modules of these strategies. Throws LB_BAD_PLUGIN: a pool without its strategy cannot serve. */
export function loadStrategies(strategies: readonly InstalledStrategy[]): Promise<readonly StrategyPlugin[]> {
  return importStrategies(strategyModules(strategies))
}

function strategiesOrFault(folder: string, faults: StrategyFault[]): readonly InstalledStrategy[] {
  try {
    keepCoreLink(folder)
    return strategiesIn(folder)
  } catch (thrown) {
    faults.push(faultIn(folder, thrown))
    return []
  }
}

function faultIn(folder: string, thrown: unknown): StrategyFault {
  const error = isLbError(thrown) ? thrown : badPlugin(folder, messageOf(thrown))
  try {
    const manifest = manifestIn(folder)
    return { packageName: manifest.name ?? folder, strategies: namedModules(manifest, 'strategies'), error }
  } catch {
    return { packageName: folder, strategies: [], error }
  }
}

function clash({ strategy, packageName }: InstalledStrategy, owner: string): StrategyFault {
  const error = new LbError(`two bring the strategy \`${strategy}\`: ${owner} and ${packageName}`, {
    code: 'LB_STRATEGY_DUPLICATE',
    source: 'operator',
    hint: `remove one: lb plugins uninstall ${packageName}`,
  })
  return { packageName, strategies: [strategy], error }
}
