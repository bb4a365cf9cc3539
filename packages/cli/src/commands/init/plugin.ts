import { Args } from '../../oclif.js'
import { LbCommand } from '../../lb-command.js'

export default class InitPlugin extends LbCommand {
  static override summary = 'Write a new engine plugin into lb-plugin-NAME.'
  static override description =
    'A package that builds and tests as it is, with a small engine that it launches. Its README says what to change.'
  static override examples = ['<%= config.bin %> init plugin my-engine']
  static override args = { name: Args.string({ description: 'Name of the engine: lower case, digits, dashes.', required: true }) }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(InitPlugin)
    const { writePlugin } = await import('../../services/init-plugin.js')
    const written = writePlugin(args.name, process.cwd())
    if (flags.json) return this.printJson(written)
    this.print(`Wrote ${written.folder}: ${written.files.length} files\n`)
    this.say(
      `Next: cd ${written.packageName} && npm install && npm test && npm pack, then: lb plugins install file:${written.packageName}-0.1.0.tgz`,
    )
  }
}
