import { LbCommand } from '../lb-command.js'

export default class Strategies extends LbCommand {
  static override summary = 'List the ways to choose a node, for `strategy` in the topology.'
  static override examples = ['<%= config.bin %> strategies', '<%= config.bin %> strategies --json']

  async run(): Promise<void> {
    const { flags } = await this.parse(Strategies)
    const { builtinStrategies, defaultStrategyName } = await import('@plimsoll/core')
    const rows = builtinStrategies.map(({ name, aliases = [], summary, settings }) => ({
      name,
      aliases,
      summary,
      settings,
      isDefault: name === defaultStrategyName,
    }))
    if (flags.json) return this.printJson(rows)
    const { textTable } = await import('../views/text-table.js')
    this.print(
      textTable(
        ['STRATEGY', 'ALSO', 'WHAT IT DOES'],
        rows.map((row) => [row.isDefault ? `${row.name} (default)` : row.name, row.aliases.join(', '), row.summary]),
      ),
    )
    this.say('Write pools.NAME.strategy in the topology to choose one.')
  }
}
