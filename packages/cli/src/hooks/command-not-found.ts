import type { Hook } from '@oclif/core'

/** What other programs call it. */
const meant = new Map(
  Object.entries({
    start: 'up',
    run: 'up',
    serve: 'up',
    stop: 'down',
    kill: 'down',
    ps: 'status',
    ls: 'status',
    list: 'status',
    restart: 'nodes restart NODE',
    drain: 'nodes drain NODE',
    reload: 'rollout start POOL --file PATH',
    apply: 'rollout start POOL --file PATH',
    deploy: 'rollout start POOL --file PATH',
    check: 'plan',
    validate: 'plan',
    pull: 'models pull',
    chat: 'ask',
  }),
)

/** Names the nearest command instead of only refusing. */
const hook: Hook.CommandNotFound = async ({ id, config }) => {
  const { LbError } = await import('@plimsoll/core')
  const { nearestCommand } = await import('../services/nearest-command.js')
  const typed = id.replaceAll(':', ' ')
  const nearest = meant.get(typed) ?? nearestCommand(id, config.commandIDs)
  throw new LbError(`there is no command \`${typed}\``, {
    code: 'LB_UNKNOWN_COMMAND',
    source: 'operator',
    hint: nearest === undefined ? 'lb --help lists them' : `lb ${nearest.replaceAll(':', ' ')}   (lb --help lists all)`,
  })
}

export default hook
