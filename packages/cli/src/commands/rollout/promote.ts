import { Args, Flags } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutPromote extends LbCommand {
  static override summary = 'Take a new revision live at once, or in spite of the judge.'
  static override description =
    'What is left of the rollout is done without watching. Asks where the judge says that the new revision is worse.'
  static override examples = ['<%= config.bin %> rollout promote chat', '<%= config.bin %> rollout promote chat --yes --wait']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    yes: Flags.boolean({ char: 'y', description: 'Do not ask where the judge says no.' }),
    wait: Flags.boolean({ description: 'Watch it to its end; the exit code says how it ended.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutPromote)
    const { decideRollout } = await import('../../services/decide-rollout.js')
    const { rolloutEndText } = await import('../../views/rollout-event-text.js')
    const { status, exitCode } = await decideRollout(
      { cwd: process.cwd(), ...flags },
      { verb: 'promote', pool: args.pool, yes: flags.yes, wait: flags.wait, say: (text) => this.say(text) },
    )
    if (exitCode !== undefined) process.exitCode = exitCode
    if (flags.json) return this.printJson(status)
    this.say(`${status.to.revision} of ${status.pool} goes live.`)
    this.say(rolloutEndText(status))
  }
}
