import type { RosterNode } from '../contracts/index.js'
import type { Node } from './node.js'

/** What a node was found to be able to do, as far as it says. */
export type Abilities = Pick<RosterNode, 'serves' | 'contextTokens' | 'roundTripMs'>

export function abilitiesOf(node: Node): Abilities {
  const serves = servedBy(node)
  const contextTokens = node.load?.facts.contextTokens
  const { roundTripMs } = node.roundTrip
  return {
    ...(serves === undefined ? {} : { serves }),
    ...(contextTokens === undefined || contextTokens === 0 ? {} : { contextTokens }),
    ...(roundTripMs === undefined ? {} : { roundTripMs }),
  }
}

function servedBy({ endpoint, models, load }: Node): readonly string[] | undefined {
  if (endpoint?.backend.strictModels !== true || models.length === 0) return undefined
  const adapters = load?.facts.adapters ?? []
  return [...models, ...adapters.filter((name) => !models.includes(name))]
}
