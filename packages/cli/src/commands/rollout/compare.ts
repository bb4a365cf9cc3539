import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class RolloutCompare extends LbCommand {
  static override summary = 'Compare both sides of a rollout, figure by figure, with confidence.'
  static override description =
    'What the judge has seen of the new revision and of the old one over the same time: errors, latencies, odd answers, lengths, golden prompts, your own metrics. Of a split, the two sides that last. Once it is over: as it was then.'
  static override examples = ['<%= config.bin %> rollout compare chat', '<%= config.bin %> rollout compare chat --json | jq ".figures[]"']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RolloutCompare)
    const { withClient } = await import('../../services/with-client.js')
    const { compareText } = await import('../../views/rollout-text.js')
    await withClient({ cwd: process.cwd(), ...flags }, async (client) => {
      const report = await client.compareRollout(args.pool)
      if (flags.json) return this.printJson(report)
      this.print(compareText(report, this.size().columns))
      this.say(`While it runs, lb rollout promote ${args.pool} takes the new one and lb rollout abort ${args.pool} keeps the old one.`)
    })
  }
}
