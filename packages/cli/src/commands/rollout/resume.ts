import { Args, Flags } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutResume extends LbCommand {
  static override summary = 'Go on with a rollout that was paused.'
  static override description = 'The step that it stood at is watched anew; where the judge had said no, it begins to judge anew.'
  static override examples = ['<%= config.bin %> rollout resume chat']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    wait: Flags.boolean({ description: 'Watch it to its end; the exit code says how it ended.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutResume)
    const { decideRollout } = await import('../../services/decide-rollout.js')
    const { rolloutEndText } = await import('../../views/rollout-event-text.js')
    const { status, exitCode } = await decideRollout(
      { cwd: process.cwd(), ...flags },
      { verb: 'resume', pool: args.pool, yes: true, wait: flags.wait, say: (text) => this.say(text) },
    )
    if (exitCode !== undefined) process.exitCode = exitCode
    if (flags.json) return this.printJson(status)
    this.say(`The rollout of ${status.pool} is resumed.`)
    this.say(rolloutEndText(status))
  }
}
