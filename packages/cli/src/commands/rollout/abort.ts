import { Args, Flags } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutAbort extends LbCommand {
  static override summary = 'Take a new revision back: the old one serves everything again.'
  static override description =
    'Requests in flight on the new revision end first; no client loses one. With --wait it leaves with 4 once the old revision has everything.'
  static override examples = ['<%= config.bin %> rollout abort chat', '<%= config.bin %> rollout abort chat --wait']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = {
    ...balancerFlags,
    wait: Flags.boolean({ description: 'Watch it to its end; the exit code says how it ended.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutAbort)
    const { decideRollout } = await import('../../services/decide-rollout.js')
    const { rolloutEndText } = await import('../../views/rollout-event-text.js')
    const { status, exitCode } = await decideRollout(
      { cwd: process.cwd(), ...flags },
      { verb: 'abort', pool: args.pool, yes: true, wait: flags.wait, say: (text) => this.say(text) },
    )
    if (exitCode !== undefined) process.exitCode = exitCode
    if (flags.json) return this.printJson(status)
    this.say(`${status.to.revision} of ${status.pool} is taken back.`)
    this.say(rolloutEndText(status))
  }
}
