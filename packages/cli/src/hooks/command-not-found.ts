import type { Hook } from '@oclif/core'

/** Names the nearest command instead of only refusing. */
const hook: Hook.CommandNotFound = async ({ id, config }) => {
  const { LbError } = await import('@plimsoll/core')
  const { nearestCommand } = await import('../services/nearest-command.js')
  const typed = id.replaceAll(':', ' ')
  const nearest = nearestCommand(id, config.commandIDs)
  throw new LbError(`there is no command \`${typed}\``, {
    code: 'LB_UNKNOWN_COMMAND',
    source: 'operator',
    hint: nearest === undefined ? 'lb --help lists them' : `lb ${nearest.replaceAll(':', ' ')}   (lb --help lists all)`,
  })
}

export default hook
