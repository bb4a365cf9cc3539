import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutHistory extends LbCommand {
  static override summary = 'List the revisions of a pool, and the rollouts that brought them.'
  static override description =
    'A revision is all that its nodes launch, with the content of the weights. It is kept whole, so that the way back is to the same bytes. Survives restarts of lb.'
  static override examples = ['<%= config.bin %> rollout history chat', '<%= config.bin %> rollout history chat --json | jq .revisions']
  static override args = { pool: Args.string({ description: 'The pool; default: the rollouts of all.' }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutHistory)
    const { pool } = args
    const { withClient } = await import('../../services/with-client.js')
    const { revisionsTable, rolloutsTable } = await import('../../views/rollout-text.js')
    await withClient({ cwd: process.cwd(), ...flags }, async (client) => {
      const revisions = pool === undefined ? [] : await client.revisions(pool)
      const all = await client.rollouts()
      const rollouts = pool === undefined ? all : all.filter((rollout) => rollout.pool === pool)
      if (flags.json) return this.printJson({ revisions, rollouts })
      if (revisions.length + rollouts.length === 0)
        return this.say('There was no rollout yet. lb rollout start POOL --model NEW begins one.')
      if (revisions.length > 0) this.print(revisionsTable(revisions, Date.now()))
      if (rollouts.length > 0) this.print(`${revisions.length > 0 ? '\n' : ''}${rolloutsTable(rollouts, { nowMs: Date.now() })}`)
      this.say(`lb rollout start ${pool ?? 'POOL'} --revision r1 goes to one of them; lb rollout undo ${pool ?? 'POOL'} to the one before.`)
    })
  }
}
