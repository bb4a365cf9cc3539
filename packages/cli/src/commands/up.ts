import type { UpBalancer } from '../services/bring-up.js'
import { Flags } from '../oclif.js'
import { LbCommand, targetFlags } from '../lb-command.js'

export default class Up extends LbCommand {
  static override summary = 'Start the balancer of a topology and its nodes.'
  static override description =
    'In a terminal it shows the live view, elsewhere a plain log; either way leaving it drains and stops, unless you choose to leave it running. --detach returns when every node is ready or has said why not. Exit codes: 1 when a pool has no ready node, 2 when the topology is wrong.'
  static override examples = ['<%= config.bin %> up', '<%= config.bin %> up --sim', '<%= config.bin %> up --detach --file prod.yaml']
  static override flags = {
    ...targetFlags,
    sim: Flags.boolean({ description: 'Four simulated nodes: nothing to install. Takes the next free port.', exclusive: ['file'] }),
    detach: Flags.boolean({ char: 'd', description: 'Return and leave it running.' }),
    'no-wait': Flags.boolean({ description: 'With --detach: return as soon as the gateway listens.', dependsOn: ['detach'] }),
    leftovers: Flags.option({
      description: 'Engines that a killed lb left: take over those that fit, or end all first.',
      options: ['adopt', 'reap'] as const,
      default: 'adopt' as const,
    })(),
    port: Flags.integer({ char: 'p', description: "Port of the gateway, instead of the topology's.", min: 0, max: 65_535 }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Up)
    const { bringUp } = await import('../services/bring-up.js')
    const up = await bringUp({
      prepare: {
        cwd: process.cwd(),
        name: flags.name,
        file: flags.file,
        sim: flags.sim,
        port: flags.port,
        pluginRoots: this.pluginRoots(),
      },
      leftovers: flags.leftovers,
      movePort: flags.sim && flags.port === undefined,
      onNotice: (text) => this.say(text),
    })
    if (flags.detach) return this.detached(up, flags)
    const { foreground } = await import('../services/foreground.js')
    process.exitCode = await foreground(up, { json: flags.json, print: (text) => this.print(text), say: (text) => this.say(text) })
  }

  private async detached(up: UpBalancer, flags: { json: boolean; 'no-wait': boolean }): Promise<void> {
    const { untilReady } = await import('../services/until-ready.js')
    const { status, silentPools } = await untilReady(up, { wait: !flags['no-wait'], say: (text) => this.say(text) })
    up.launched.detach()
    if (silentPools.length > 0) process.exitCode = 1
    if (flags.json) return this.printJson(status)
    const { upReport } = await import('../views/up-report.js')
    this.print(upReport(status, { curl: up.curl, detached: true }))
    if (silentPools.length > 0)
      this.say(`\n  no node of ${silentPools.join(', ')} is ready; it runs on and keeps trying: lb status, lb logs, lb down`)
  }
}
