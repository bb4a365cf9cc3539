import type { JsonSchema, Strategy, StrategyContext, StrategyPlugin } from '../contracts/index.js'
import { LbError, messageOf } from '../errors/index.js'
import { builtinStrategies } from './builtin.js'

/** All strategies of one balancer, by name and alias. */
export interface StrategyRegistry {
  /** Each strategy once, built-in ones first. */
  readonly all: readonly StrategyPlugin[]
  /** Names and aliases to settings schemas, as the topology checks them. */
  readonly catalogue: ReadonlyMap<string, { readonly settings: JsonSchema }>
  /** By name or alias. */
  find(name: string): StrategyPlugin | undefined
  /** A strategy ready to pick. Throws LB_STRATEGY_UNKNOWN. */
  create(name: string, context: StrategyContext): Strategy
}

/** Built-in strategies plus those of plugins. Throws LB_STRATEGY_DUPLICATE when two claim one name: a silent winner would be chosen by load order. */
export function createStrategyRegistry(extra: readonly StrategyPlugin[] = []): StrategyRegistry {
  const byName = new Map<string, StrategyPlugin>()
  const all = [...builtinStrategies, ...extra]
  for (const plugin of all) for (const name of [plugin.name, ...(plugin.aliases ?? [])]) claim(byName, name, plugin)
  return {
    all,
    catalogue: byName,
    find: (name) => byName.get(name),
    create(name, context) {
      const plugin = byName.get(name)
      if (plugin === undefined) throw unknownStrategy(name, byName)
      const strategy = plugin.create({ ...context, settings: withDefaults(plugin.settings, context.settings) })
      return builtinStrategies.includes(plugin) ? strategy : checked(plugin.name, strategy)
    },
  }
}

/** A topology has filled them in; a simulation, or a program that uses core as a library, may not have. */
function withDefaults({ properties }: JsonSchema, settings: unknown): unknown {
  const known = Object.entries((properties ?? {}) as Readonly<Record<string, { readonly default?: unknown }>>)
  const defaults = known.flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]]))
  return { ...Object.fromEntries(defaults), ...(settings as object) }
}

function claim(byName: Map<string, StrategyPlugin>, name: string, plugin: StrategyPlugin): void {
  if (byName.has(name)) {
    throw new LbError(`Two strategies are called "${name}".`, {
      code: 'LB_STRATEGY_DUPLICATE',
      source: 'operator',
      hint: 'Remove one of the two plugins, or ask its author for another name.',
    })
  }
  byName.set(name, plugin)
}

function unknownStrategy(name: string, byName: ReadonlyMap<string, StrategyPlugin>): LbError {
  return new LbError(`There is no strategy "${name}".`, {
    code: 'LB_STRATEGY_UNKNOWN',
    source: 'operator',
    hint: `Known: ${[...byName.keys()].join(', ')}.`,
  })
}

/** A plugin that throws or points outside the candidates is named in the error, instead of surfacing as a crash somewhere in the proxy. */
function checked(name: string, strategy: Strategy): Strategy {
  return {
    observe(event) {
      guarded(name, () => strategy.observe?.(event))
    },
    report: () => guarded(name, () => strategy.report?.() ?? {}),
    pick(facts, candidates, trace) {
      const index = guarded(name, () => strategy.pick(facts, candidates, trace))
      if (Number.isInteger(index) && index >= -1 && index < candidates.length) return index
      throw misbehaved(name, `it picked ${index} of ${candidates.length} candidates`)
    },
  }
}

function guarded<T>(name: string, ask: () => T): T {
  try {
    return ask()
  } catch (error) {
    throw misbehaved(name, `it threw: ${messageOf(error)}`, error)
  }
}

function misbehaved(name: string, what: string, cause?: unknown): LbError {
  return new LbError(`The strategy "${name}" failed: ${what}.`, {
    code: 'LB_STRATEGY_FAILED',
    source: 'operator',
    httpStatus: 500,
    hint: 'Choose another strategy for this pool, and tell the author of the plugin.',
    cause,
  })
}
