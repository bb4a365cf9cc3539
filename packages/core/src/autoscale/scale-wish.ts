import { LbError } from '../errors/index.js'
import { knownNames, type GroupPlan, type PoolPlan } from '../topology/index.js'

export function cannotScale(why: string, hint: string): LbError {
  return new LbError(why, { code: 'LB_CANNOT_SCALE', source: 'operator', httpStatus: 409, hint })
}

/** The group that is meant. Throws LB_UNKNOWN_GROUP, LB_CANNOT_SCALE. */
export function groupToScale(pool: PoolPlan, name: string | undefined): GroupPlan {
  if (name !== undefined) {
    const named = pool.groups.find((group) => group.name === name) ?? pool.groups.find((group) => group.revisionOf === name)
    if (named === undefined)
      throw new LbError(`pool ${pool.name} has no node group ${JSON.stringify(name.slice(0, 100))}`, {
        code: 'LB_UNKNOWN_GROUP',
        source: 'operator',
        httpStatus: 404,
        hint: knownNames(
          name,
          pool.groups.map((group) => group.revisionOf ?? group.name),
        ),
      })
    if (named.launch !== undefined) return named
    throw cannotScale(
      `${pool.name}/${named.name} was attached, not launched: lb cannot start more of it`,
      'start another server, and name it under `nodes`',
    )
  }
  const launched = pool.groups.filter(({ launch }) => launch !== undefined)
  const [only] = launched
  if (only === undefined)
    throw cannotScale(
      `pool ${pool.name} has attached servers only: lb cannot start more of them`,
      'start another server, and name it under `nodes`',
    )
  if (launched.length === 1) return only
  throw cannotScale(
    `pool ${pool.name} has ${launched.length} launched groups`,
    `name one: --group ${launched.map((group) => group.name).join(', --group ')}`,
  )
}
