import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutStatus extends LbCommand {
  static override summary = 'Show how far a rollout is: nodes, share of traffic, what the judge says, what happened.'
  static override description =
    'With POOL the rollout that runs in it, else its last one, whole; without POOL a line for each pool that has had one. --json prints the same as data: with POOL one document, without POOL a list under `rollouts`. Older ones: lb rollout history POOL.'
  static override examples = [
    '<%= config.bin %> rollout status',
    '<%= config.bin %> rollout status chat --json | jq .judge',
    '<%= config.bin %> rollout status --json | jq ".rollouts[].phase"',
  ]
  static override args = { pool: Args.string({ description: 'The pool; default: all.' }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutStatus)
    const { withClient } = await import('../../services/with-client.js')
    const { rolloutEndText } = await import('../../views/rollout-event-text.js')
    const { newestOfEach, rolloutText, rolloutsTable } = await import('../../views/rollout-text.js')
    const options = { nowMs: Date.now(), ...this.size() }
    await withClient({ cwd: process.cwd(), ...flags }, async (client) => {
      if (args.pool !== undefined) {
        const rollout = await client.rollout(args.pool)
        if (flags.json) return this.printJson(rollout)
        this.print(rolloutText(rollout, options))
        return this.say(rolloutEndText(rollout))
      }
      const rollouts = newestOfEach(await client.rollouts())
      if (flags.json) return this.printJson({ rollouts })
      if (rollouts.length === 0) return this.say('There was no rollout yet. lb rollout start POOL --model NEW begins one.')
      this.print(rolloutsTable(rollouts, options))
      this.say('lb rollout status POOL shows one whole; lb rollout history POOL lists those before it.')
    })
  }
}
