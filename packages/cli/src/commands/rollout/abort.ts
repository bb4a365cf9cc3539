import { Args } from '../../oclif.js'
import { balancerFlags, waitFlags } from '../../lb-command.js'
import { DecideCommand } from './decide-command.js'

export default class RolloutAbort extends DecideCommand {
  static override summary = 'Take a new revision back: the old one serves everything again.'
  static override description =
    'Requests in flight on the new revision end first; no client loses one. With --wait it leaves with 4 once the old revision has everything.'
  static override examples = ['<%= config.bin %> rollout abort chat', '<%= config.bin %> rollout abort chat --wait']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    ...waitFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutAbort)
    return this.decide('abort', args.pool, flags, ({ to, pool }) => `${to.revision} of ${pool} is taken back.`)
  }
}
