import { Args, Flags } from '../oclif.js'
import { LbCommand, balancerFlags } from '../lb-command.js'

export default class Logs extends LbCommand {
  static override summary = 'Print what the balancer and its nodes have logged.'
  static override description =
    'Without a node: all of them, each line with its source. lb is the balancer itself. Works after it has stopped, until lb purge.'
  static override examples = ['<%= config.bin %> logs -f', '<%= config.bin %> logs demo/sim-0 -n 50', '<%= config.bin %> logs lb']
  static override args = { node: Args.string({ description: 'pool/node, the node alone where it is clear, or lb for the balancer.' }) }
  static override flags = {
    ...balancerFlags,
    follow: Flags.boolean({ char: 'f', description: 'Go on with each new line until interrupted.' }),
    lines: Flags.integer({ char: 'n', description: 'Lines of each log to begin with.', default: 100, min: 0 }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs)
    if (flags.remote !== undefined) return this.overSsh(flags.remote)
    const { findTarget } = await import('../services/find-target.js')
    const { chooseSources, logSources } = await import('../services/node-logs.js')
    const { followLogs } = await import('../services/follow-logs.js')
    const { logLineText } = await import('../views/log-line-text.js')
    const sources = chooseSources(logSources(findTarget({ cwd: process.cwd(), ...flags })), args.node)
    const width = sources.length === 1 ? 0 : Math.max(0, ...sources.map((source) => source.label.length))
    const life = new AbortController()
    this.leaveWithReader()
    if (flags.follow) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => life.abort())
    await followLogs(sources, {
      lines: flags.lines,
      follow: flags.follow,
      signal: life.signal,
      onLine: (line) => this.print(logLineText(line, { json: flags.json, width })),
    })
    if (!flags.follow) this.say(`${sources.length === 0 ? 'Nothing was logged yet. ' : ''}lb logs -f goes on; lb status shows the nodes.`)
  }

  /** The files are over there, so the other lb reads them. */
  private async overSsh(remote: string): Promise<void> {
    const { runOverSsh } = await import('../services/ssh-tunnel.js')
    const { withoutRemote } = await import('../services/ssh-remote.js')
    process.exitCode = await runOverSsh(remote, ['logs', ...withoutRemote(this.argv)])
  }
}
