import { builtinStrategies, defaultStrategyName, type JsonSchema } from '@plimsoll/core'

/** One way to choose a node. */
export interface ListedStrategy {
  readonly name: string
  readonly aliases: readonly string[]
  readonly summary: string
  readonly settings: JsonSchema
  readonly isDefault: boolean
}

/** The strategies that come with lb, in their order. */
export function listStrategies(): ListedStrategy[] {
  return builtinStrategies.map(({ name, aliases = [], summary, settings }) => ({
    name,
    aliases,
    summary,
    settings,
    isDefault: name === defaultStrategyName,
  }))
}
