import type { RosterNode } from '../contracts/index.js'
import { areSpared, fittingNodes, type Question } from './filters.js'
import { backOnly } from './open-question.js'
import type { ProxyContext } from './proxy-context.js'

/** The node for the next attempt: of those that may take the request and are near enough, the strategy's choice. `wait`: none of them now. Undefined: none is left. */
export function pick(context: ProxyContext, question: Question): RosterNode | 'wait' | undefined {
  const { request } = question
  const { pool, facts } = request
  const { routable, fitting } = choiceFor(context, question)
  const candidates = context.zones.nearEnough(pool.name, facts, fitting)
  const position =
    request.tracing === undefined
      ? candidates.length === 0
        ? -1
        : pool.strategy.pick(facts, candidates)
      : context.tracer.choose(context, request, { question, routable, fitting, candidates })
  if (position !== -1 || candidates.length === 0) return candidates[position]
  // A revision that is tried out, and slow, must not keep a whole pool waiting.
  return request.parting?.isAway === true && question.backOnly !== true ? pick(context, backOnly(question)) : 'wait'
}

export interface Choice {
  /** Of the tier that is asked, and of those before it. */
  readonly routable: readonly RosterNode[]
  /** Of these, the ones that may be asked. */
  readonly fitting: readonly RosterNode[]
}

const NONE: readonly RosterNode[] = []

/** The first tier that has a node left for this request, before all one that is not just coming back after a failure; none fits where none has. */
export function choiceFor({ rosters }: ProxyContext, question: Question): Choice {
  let routable: readonly RosterNode[] = NONE
  let spared: Choice | undefined
  for (const tier of rosters.current().tiers(question.request.pool.name)) {
    routable = routable.length === 0 ? tier : [...routable, ...tier]
    const fitting = alone(fittingNodes(tier, question), question)
    if (fitting.length === 0) continue
    if (!areSpared(fitting, question)) return { routable, fitting }
    spared ??= { routable, fitting }
  }
  return spared ?? { routable, fitting: NONE }
}

/** Where it is gone meanwhile, any. */
function alone(fitting: readonly RosterNode[], { only }: Question): readonly RosterNode[] {
  if (only === undefined) return fitting
  const left = fitting.filter(({ id }) => id === only)
  return left.length > 0 ? left : fitting
}
