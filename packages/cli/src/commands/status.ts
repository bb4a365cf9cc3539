import type { ControlClient } from '../services/control-client.js'
import { Flags } from '../oclif.js'
import { LbCommand, balancerFlags } from '../lb-command.js'

export default class Status extends LbCommand {
  static override summary = 'Show the gateway, pools and nodes of the running balancer.'
  static override description =
    'Prints a table, or with --json the documented status (docs/reference/status.md). Leaves with 5 when nothing runs, and tells what a killed balancer has left. TTFT and TPOT are of streamed answers of the last minute; - means that none came.'
  static override examples = [
    '<%= config.bin %> status',
    '<%= config.bin %> status --json | jq ".pools[].nodes[].state"',
    '<%= config.bin %> status --watch',
  ]
  static override flags = {
    ...balancerFlags,
    watch: Flags.boolean({
      char: 'w',
      description: 'Print again whenever something changed, until interrupted; with --json one line each.',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Status)
    const { openConnection } = await import('../services/open-connection.js')
    const connection = await openConnection({ cwd: process.cwd(), ...flags })
    try {
      if (flags.watch) return await this.watch(connection.client, flags)
      const status = await connection.client.status({ fresh: true })
      if (flags.json) return await this.printJson(status)
      const { renderSnapshot } = await import('../views/snapshot.js')
      this.print(renderSnapshot(status, this.size()))
      this.say('lb top watches it live; lb logs -f follows what it says; lb down stops it.')
    } finally {
      connection.close()
    }
  }

  private async watch(client: ControlClient, flags: { json: boolean }): Promise<void> {
    this.leaveWithReader()
    const { watchStatus } = await import('../services/watch-status.js')
    const { renderSnapshot } = await import('../views/snapshot.js')
    const { jsonText } = await import('../views/json-text.js')
    const clear = process.stdout.isTTY && process.env['TERM'] !== 'dumb' ? '\u001b[H\u001b[2J' : ''
    await watchStatus(client, (status) => {
      if (flags.json) this.print(`${jsonText(status, { lines: true })}\n`)
      else this.print(`${clear}${renderSnapshot(status, this.size())}`)
    })
  }
}
