import { Args, Flags } from '../oclif.js'
import { LbCommand, balancerFlags } from '../lb-command.js'

export default class Scale extends LbCommand {
  static override summary = 'Say how many nodes a group has; what goes is drained first.'
  static override description =
    'Of a group that follows its load it is the floor from now on. It lasts until lb.yaml says otherwise, over restarts too. Asks before no node is left.'
  static override examples = [
    '<%= config.bin %> scale chat 4',
    '<%= config.bin %> scale chat 2 --group gpu',
    '<%= config.bin %> scale chat 0 --yes',
  ]
  static override args = {
    pool: Args.string({ description: 'The pool.', required: true }),
    replicas: Args.string({ description: 'How many nodes.', required: true }),
  }
  static override flags = {
    ...balancerFlags,
    group: Flags.string({ description: 'The node group, where the pool has several.', helpValue: 'GROUP' }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Scale)
    const { scalePool } = await import('../services/scale-pool.js')
    const wish = { pool: args.pool, replicas: args.replicas, group: flags.group, yes: flags.yes }
    const scaled = await scalePool({ cwd: process.cwd(), ...flags }, wish)
    if (flags.json) return this.printJson(scaled)
    const { scaleText } = await import('../views/scale-text.js')
    this.print(scaleText(scaled))
    this.say(`lb status shows them come and go; lb scale ${scaled.pool} N changes it again.`)
  }
}
