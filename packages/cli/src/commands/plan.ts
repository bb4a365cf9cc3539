import { Flags } from '../oclif.js'
import { LbCommand, targetFlags } from '../lb-command.js'

export default class Plan extends LbCommand {
  static override summary = 'Show what lb up would launch and attach, with exact command lines.'
  static override description =
    'Starts nothing. Ports are those that are free now. When a balancer of this topology runs here, it also shows what has changed since it started.'
  static override examples = ['<%= config.bin %> plan', '<%= config.bin %> plan --sim --json']
  static override flags = {
    ...targetFlags,
    sim: Flags.boolean({ description: 'Plan the built-in simulated topology.', exclusive: ['file'] }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Plan)
    const { prepareTopology } = await import('../services/prepare-topology.js')
    const { planTopology } = await import('../services/plan-topology.js')
    const prepared = await prepareTopology({ cwd: process.cwd(), ...flags, pluginRoots: this.pluginRoots() })
    const plan = await planTopology(prepared)
    if (flags.json) return this.printJson(plan)
    const { planText } = await import('../views/plan-text.js')
    this.print(planText(plan))
    this.say('Nothing was started. lb up does this.')
  }
}
