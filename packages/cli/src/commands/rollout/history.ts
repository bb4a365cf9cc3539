import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutHistory extends LbCommand {
  static override summary = 'List the revisions of a pool, and the rollouts that brought them.'
  static override description =
    'A revision is all that its nodes launch, with the content of the weights. It is kept whole, so that the way back is to the same bytes. Survives restarts of lb. --json prints both lists, `revisions` and `rollouts`, newest first.'
  static override examples = ['<%= config.bin %> rollout history chat', '<%= config.bin %> rollout history chat --json | jq .revisions']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutHistory)
    const { pool } = args
    const { withClient } = await import('../../services/with-client.js')
    const { revisionsTable, rolloutsTable } = await import('../../views/rollout-text.js')
    const options = { nowMs: Date.now(), ...this.size() }
    await withClient({ cwd: process.cwd(), ...flags }, async (client) => {
      const revisions = await client.revisions(pool)
      const rollouts = (await client.rollouts()).filter((rollout) => rollout.pool === pool)
      if (flags.json) return this.printJson({ revisions, rollouts })
      this.print(revisionsTable(revisions, options))
      if (rollouts.length === 0) return this.say(`There was no rollout yet. lb rollout start ${pool} --model NEW begins one.`)
      this.print(`\n${rolloutsTable(rollouts, options)}`)
      this.say(`lb rollout start ${pool} --revision r1 goes to one of them; lb rollout undo ${pool} to the one before.`)
    })
  }
}
