import { Args } from '../../oclif.js'
import { LbCommand } from '../../lb-command.js'

export default class PluginsLink extends LbCommand {
  static override summary = 'Use a plugin from its own folder, while you write it.'
  static override description =
    'Its package.json must say what it brings under `plimsoll`. Nothing is copied or installed: build it, and the next start uses it.'
  static override examples = ['<%= config.bin %> plugins link .']
  static override args = { path: Args.string({ description: 'Folder of the plugin.', default: '.' }) }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsLink)
    const { linkPlugin } = await import('../../services/install-plugin.js')
    const change = linkPlugin(args.path, { dataDir: this.config.dataDir, cwd: process.cwd(), pluginRoots: this.pluginRoots() })
    if (flags.json) return this.printJson(change)
    const { broughtText } = await import('../../views/brought-text.js')
    this.print(`linked ${broughtText(change)}\n`)
    this.say(`lb plugins uninstall ${change.name} takes it out again.`)
  }
}
