import { LbError } from '../../errors/index.js'

/** Another machine as the system's ssh is told of it. Keys, jumps and the like belong into the user's ssh config. */
export interface SshDestination {
  /** Host name, address, or a name from the ssh config. */
  readonly host: string
  readonly user?: string
  readonly port?: number
}

/** Reads `[user@]host[:port]`, with an optional `ssh://` before it. Throws LB_WRONG_SSH_HOST for anything else, above all for what ssh would take for an option. */
export function parseSshDestination(text: string): SshDestination {
  const match = /^(?:ssh:\/\/)?(?:([\w][\w.-]*)@)?(?:\[([0-9A-Fa-f:.]+)\]|([\w][\w.-]*))(?::(\d{1,5}))?\/?$/.exec(text)
  const host = match?.[2] ?? match?.[3]
  const port = match?.[4] === undefined ? undefined : Number(match[4])
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new LbError(`\`${text}\` is no address of another machine`, {
      code: 'LB_WRONG_SSH_HOST',
      source: 'operator',
      hint: 'write user@host or user@host:port; keys and jump hosts go into ~/.ssh/config',
    })
  }
  return { host, ...(match?.[1] === undefined ? {} : { user: match[1] }), ...(port === undefined ? {} : { port }) }
}

/** The destination as ssh's last arguments before a command. */
export function destinationArguments({ host, user, port }: SshDestination): string[] {
  return [...(port === undefined ? [] : ['-p', String(port)]), '--', user === undefined ? host : `${user}@${host}`]
}
