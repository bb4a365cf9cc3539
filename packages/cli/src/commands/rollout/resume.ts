import { Args } from '../../oclif.js'
import { balancerFlags, waitFlags } from '../../lb-command.js'
import { DecideCommand } from './decide-command.js'

export default class RolloutResume extends DecideCommand {
  static override summary = 'Go on with a rollout that was paused.'
  static override description = 'The step that it stood at is watched anew; where the judge had said no, it begins to judge anew.'
  static override examples = ['<%= config.bin %> rollout resume chat']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    ...waitFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutResume)
    return this.decide('resume', args.pool, flags, ({ pool }) => `The rollout of ${pool} is resumed.`)
  }
}
