import { Args, Flags } from '../../oclif.js'
import { LbCommand } from '../../lb-command.js'

export default class InitPlugin extends LbCommand {
  static override summary = 'Write a new plugin into lb-plugin-NAME: an engine, a strategy, or a metric.'
  static override description =
    'A package that builds and tests as it is, with a small engine that it launches, a small way to choose nodes, or a small figure to judge rollouts by. Its README says what to change.'
  static override examples = [
    '<%= config.bin %> init plugin my-engine',
    '<%= config.bin %> init plugin my-strategy --strategy',
    '<%= config.bin %> init plugin my-metric --metric',
  ]
  static override args = {
    name: Args.string({ description: 'Name of the engine, strategy or metric: lower case, digits, dashes.', required: true }),
  }
  static override flags = {
    strategy: Flags.boolean({ description: 'A way to choose nodes, in the place of an engine.', exclusive: ['metric'] }),
    metric: Flags.boolean({ description: 'A figure that rollouts are judged by, in the place of an engine.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(InitPlugin)
    const { writePlugin } = await import('../../services/init-plugin.js')
    const written = writePlugin(args.name, process.cwd(), flags.metric ? 'metric' : flags.strategy ? 'strategy' : 'engine')
    if (flags.json) return this.printJson(written)
    this.print(`Wrote ${written.folder}: ${written.files.length} files\n`)
    this.say(
      `Next: cd ${written.packageName} && npm install && npm test && npm pack, then: lb plugins install file:${written.packageName}-0.1.0.tgz`,
    )
  }
}
