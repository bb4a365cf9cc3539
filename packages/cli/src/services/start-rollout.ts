import type { RolloutStatus, RolloutWish } from '@plimsoll/core/client'
import { isLbError } from '@plimsoll/core/client'
import { wrongInput } from '../wrong-input.js'
import type { ControlClient } from './control-client.js'
import { openConnection, type Connection, type ConnectionQuery } from './open-connection.js'
import { wishFrom, type StartFlags } from './rollout-wish.js'

export interface StartRolloutOptions extends StartFlags {
  readonly cwd: string
  readonly name?: string | undefined
  /** The edited topology. */
  readonly file?: string | undefined
  readonly remote?: string | undefined
  readonly pluginRoots: readonly string[]
  readonly say: (text: string) => void
}

/** Finds the balancer that is meant and makes a wish for it out of the flags; `act` is handed both. */
export async function startRollout<Result>(
  pool: string,
  options: StartRolloutOptions,
  act: (client: ControlClient, begun: RolloutStatus) => Promise<Result>,
): Promise<Result> {
  const wish = wishFrom(pool, options)
  checkSources(wish, options)
  const connection = await openFor(options)
  try {
    const whole = options.file === undefined ? wish : await withEdited(connection.client, wish, { ...options, file: options.file })
    return await act(connection.client, await connection.client.startRollout(whole))
  } finally {
    connection.close()
  }
}

/** Each of them says by itself what shall be live. */
function checkSources({ model, set, to, revision, pool }: RolloutWish, { file }: StartRolloutOptions): void {
  const changes = [model !== undefined || set !== undefined ? '--model or --set' : '', file === undefined ? '' : '--file']
  const given = [...changes, to === undefined ? '' : '--to', revision === undefined ? '' : '--revision'].filter((flag) => flag !== '')
  if (given.length === 1) return
  if (given.length > 1)
    throw wrongInput(`${given.join(' and ')} are several wishes`, `take one of them: lb rollout start ${pool} ${given[0] ?? ''}`)
  throw wrongInput(
    'say what shall go live',
    `lb rollout start ${pool} --model NEW, or --set launch.args.KEY=VALUE, or --file lb.yaml, or --to GROUP, or --revision r1`,
  )
}

/** The edited file need not be the one that was started. */
async function openFor({ cwd, name, file, remote }: StartRolloutOptions): Promise<Connection> {
  const query: ConnectionQuery = { cwd, name, remote }
  if (file === undefined || name !== undefined || remote !== undefined) return openConnection(query)
  try {
    return await openConnection({ ...query, file })
  } catch (error) {
    if (!isLbError(error) || error.code !== 'LB_NOT_RUNNING') throw error
    return openConnection(query)
  }
}

async function withEdited(
  client: ControlClient,
  wish: RolloutWish,
  { cwd, file, pluginRoots, say }: StartRolloutOptions & { readonly file: string },
): Promise<RolloutWish> {
  const { prepareTopology } = await import('./prepare-topology.js')
  const { editedGroups } = await import('./edited-groups.js')
  const known = await client.topologies()
  const { topology } = await prepareTopology({ cwd, file, name: known.declared.name, pluginRoots })
  const { groups, plan, notices } = editedGroups(wish.pool, topology, known)
  for (const notice of notices) say(notice)
  const named = wish.group === undefined ? groups : groups.filter(({ name }) => name === wish.group)
  if (named.length === 0)
    throw wrongInput(
      `node group ${wish.group ?? ''} did not change in ${file}`,
      `changed are: ${groups.map(({ name }) => name).join(', ')}`,
    )
  const merged = { ...plan, ...wish.plan }
  return { ...wish, groups: named, ...(Object.keys(merged).length === 0 ? {} : { plan: merged }) }
}
