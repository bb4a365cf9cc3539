import { Args } from '../../oclif.js'
import { balancerFlags } from '../../lb-command.js'
import { DecideCommand } from './decide-command.js'

export default class RolloutPause extends DecideCommand {
  static override summary = 'Let a rollout stay at its step until you say otherwise.'
  static override description = 'Traffic stays parted as it is; the judge looks on, and rolls back where it says no.'
  static override examples = ['<%= config.bin %> rollout pause chat']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutPause)
    return this.decide('pause', args.pool, flags, ({ pool }) => `The rollout of ${pool} is paused.`)
  }
}
