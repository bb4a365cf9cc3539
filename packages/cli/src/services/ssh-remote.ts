import { destinationArguments, isLbError, parseSshDestination } from '@plimsoll/core'
import { wrongInput } from '../wrong-input.js'

/** `ssh://[user@]host[:port]` as arguments for the system's ssh. Throws LB_WRONG_INPUT. */
export function sshArguments(remote: string): readonly string[] {
  try {
    if (remote.startsWith('ssh://')) return destinationArguments(parseSshDestination(remote))
  } catch (error) {
    if (!isLbError(error)) throw error
  }
  throw wrongInput(
    `\`${remote}\` is no address of another machine`,
    'write --remote ssh://user@host; ports, keys and jumps go into ~/.ssh/config',
  )
}

/** The same arguments without `--remote`, for the `lb` over there. */
export function withoutRemote(args: readonly string[]): readonly string[] {
  return args.filter((arg, index) => arg !== '--remote' && !arg.startsWith('--remote=') && args[index - 1] !== '--remote')
}
