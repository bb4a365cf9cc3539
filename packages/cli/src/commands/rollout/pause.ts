import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutPause extends LbCommand {
  static override summary = 'Let a rollout stay at its step until you say otherwise.'
  static override description = 'Traffic stays parted as it is; the judge looks on, and rolls back where it says no.'
  static override examples = ['<%= config.bin %> rollout pause chat']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutPause)
    const { decideRollout } = await import('../../services/decide-rollout.js')
    const { rolloutEndText } = await import('../../views/rollout-event-text.js')
    const { status, exitCode } = await decideRollout(
      { cwd: process.cwd(), ...flags },
      { verb: 'pause', pool: args.pool, yes: true, wait: false, say: (text) => this.say(text) },
    )
    if (exitCode !== undefined) process.exitCode = exitCode
    if (flags.json) return this.printJson(status)
    this.say(`The rollout of ${status.pool} is paused.`)
    this.say(rolloutEndText(status))
  }
}
