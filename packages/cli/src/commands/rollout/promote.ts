import { Args, Flags } from '../../oclif.js'
import { balancerFlags, waitFlags } from '../../lb-command.js'
import { DecideCommand } from './decide-command.js'

export default class RolloutPromote extends DecideCommand {
  static override summary = 'Take a new revision live at once, or in spite of the judge.'
  static override description =
    'What is left of the rollout is done without watching. Asks where the judge says that the new revision is worse.'
  static override examples = ['<%= config.bin %> rollout promote chat', '<%= config.bin %> rollout promote chat --yes --wait']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    yes: Flags.boolean({ char: 'y', description: 'Do not ask where the judge says no.' }),
    ...waitFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutPromote)
    return this.decide('promote', args.pool, flags, ({ to, pool }) => `${to.revision} of ${pool} goes live.`)
  }
}
