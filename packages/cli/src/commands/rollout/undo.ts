import { Args } from '../../oclif.js'
import { balancerFlags, waitFlags } from '../../lb-command.js'
import { DecideCommand } from './decide-command.js'

export default class RolloutUndo extends DecideCommand {
  static override summary = 'Go back to the revision before: of a rollout that runs it is what abort does, else a rollout of its own.'
  static override description =
    'Back to the launch plan that was kept: same arguments, same environment, same content of the model. Another revision of the history: lb rollout start POOL --revision r1.'
  static override examples = ['<%= config.bin %> rollout undo chat', '<%= config.bin %> rollout undo chat --wait']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    ...waitFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutUndo)
    return this.decide('undo', args.pool, flags, ({ pool, phase, from, to }) => {
      return `${pool} goes back to ${phase === 'rolling-back' ? from.revision : to.revision}.`
    })
  }
}
