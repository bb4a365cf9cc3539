import { Args } from '../../oclif.js'
import { LbCommand } from '../../lb-command.js'

export default class PluginsUninstall extends LbCommand {
  static override summary = 'Remove plugins that you installed or linked.'
  static override description = 'A balancer that runs keeps what it has loaded until its next start.'
  static override aliases = ['plugins:unlink', 'plugins:remove']
  static override strict = false
  static override examples = ['<%= config.bin %> plugins uninstall lb-plugin-tiny']
  static override args = { plugin: Args.string({ description: 'Name of the package, or the folder that was linked.', required: true }) }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(PluginsUninstall)
    const { uninstallPlugin } = await import('../../services/install-plugin.js')
    const removed = []
    for (const name of argv as string[]) {
      const plugin = await uninstallPlugin(name, { dataDir: this.config.dataDir, cwd: process.cwd(), pluginRoots: this.pluginRoots() })
      removed.push(plugin.name)
      if (!flags.json) this.print(`removed ${plugin.name}\n`)
    }
    if (flags.json) return this.printJson(removed)
    this.say('lb engines lists what is left.')
  }
}
