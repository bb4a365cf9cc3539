import { Args, Flags } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutUndo extends LbCommand {
  static override summary = 'Go back to the revision before: of a rollout that runs it is what abort does, else a rollout of its own.'
  static override description =
    'Back to the launch plan that was kept: same arguments, same environment, same content of the model. Another revision of the history: lb rollout start POOL --revision r1.'
  static override examples = ['<%= config.bin %> rollout undo chat', '<%= config.bin %> rollout undo chat --wait']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    wait: Flags.boolean({ description: 'Watch it to its end; the exit code says how it ended.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutUndo)
    const { decideRollout } = await import('../../services/decide-rollout.js')
    const { rolloutEndText } = await import('../../views/rollout-event-text.js')
    const { status, exitCode } = await decideRollout(
      { cwd: process.cwd(), ...flags },
      { verb: 'undo', pool: args.pool, yes: true, wait: flags.wait, say: (text) => this.say(text) },
    )
    if (exitCode !== undefined) process.exitCode = exitCode
    if (flags.json) return this.printJson(status)
    this.say(`${status.pool} goes back to ${status.phase === 'rolling-back' ? status.from.revision : status.to.revision}.`)
    this.say(rolloutEndText(status))
  }
}
