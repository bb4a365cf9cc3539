import { Args } from '../oclif.js'
import { LbCommand } from '../lb-command.js'
import { wrongInput } from '../wrong-input.js'

export default class Strategies extends LbCommand {
  static override summary = 'List the ways to choose a node, for `strategy` in the topology; with a name, its settings.'
  static override examples = [
    '<%= config.bin %> strategies',
    '<%= config.bin %> strategies cache-aware',
    '<%= config.bin %> strategies --json',
  ]
  static override args = { name: Args.string({ description: 'A strategy, of which the settings are shown.', required: false }) }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Strategies)
    const { listStrategies } = await import('../services/list-strategies.js')
    const all = await listStrategies(this.pluginRoots())
    const { strategyText, strategyTable } = await import('../views/strategy-text.js')
    if (args.name === undefined) {
      if (flags.json) return this.printJson(all)
      this.print(strategyTable(all))
      return this.say('Write pools.NAME.strategy in the topology to choose one; lb strategies NAME shows what can be set.')
    }
    const one = all.find(({ name, aliases }) => name === args.name || aliases.includes(args.name ?? ''))
    if (one === undefined) throw wrongInput(`there is no strategy \`${args.name}\``, `known: ${all.map(({ name }) => name).join(', ')}`)
    if (flags.json) return this.printJson(one)
    this.print(strategyText(one))
  }
}
