import { wrongInput } from '../wrong-input.js'

/** `ssh://[user@]host[:port]` as arguments for the system's ssh. Throws LB_WRONG_INPUT. */
export function sshArguments(remote: string): readonly string[] {
  const url = URL.canParse(remote) ? new URL(remote) : undefined
  const host = (url?.hostname ?? '').replace(/^\[(.*)\]$/, '$1')
  const user = url?.username ?? ''
  const odd = url?.protocol !== 'ssh:' || (url.pathname !== '' && url.pathname !== '/') || url.password !== '' || url.search !== ''
  // ssh would take a host that starts with a dash for an option.
  if (odd || !isPlain(host) || (user !== '' && !isPlain(user))) {
    throw wrongInput(
      `\`${remote}\` is no address of another machine`,
      'write --remote ssh://user@host; ports, keys and jumps go into ~/.ssh/config',
    )
  }
  return [...(url.port === '' ? [] : ['-p', url.port]), '--', user === '' ? host : `${user}@${host}`]
}

/** One argument for the shell at the other end, which takes all of them as one text. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

function isPlain(part: string): boolean {
  return /^[\w:][\w.:-]*$/.test(part)
}

/** The same arguments without `--remote`, for the `lb` over there. */
export function withoutRemote(args: readonly string[]): readonly string[] {
  return args.filter((arg, index) => arg !== '--remote' && !arg.startsWith('--remote=') && args[index - 1] !== '--remote')
}
