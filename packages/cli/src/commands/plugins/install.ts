import { Args } from '../../oclif.js'
import { LbCommand } from '../../lb-command.js'

export default class PluginsInstall extends LbCommand {
  static override summary = 'Install plugins, from a package file or a registry.'
  static override description =
    "A package file needs no network where it brings all that it needs; this lb's own core is given to it. A plugin is code that runs with your rights: install what you trust."
  static override aliases = ['plugins:add']
  static override strict = false
  static override examples = [
    '<%= config.bin %> plugins install file:lb-plugin-tiny-1.0.0.tgz',
    '<%= config.bin %> plugins install lb-plugin-tiny',
  ]
  static override args = { plugin: Args.string({ description: 'Package file (file:NAME.tgz), package name or URL.', required: true }) }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(PluginsInstall)
    const { installPlugin } = await import('../../services/install-plugin.js')
    const { broughtText } = await import('../../views/brought-text.js')
    const changes = []
    for (const spec of argv as string[]) {
      const change = await installPlugin(spec, { dataDir: this.config.dataDir, cwd: process.cwd(), pluginRoots: this.pluginRoots() })
      changes.push(change)
      if (flags.json) continue
      this.print(`installed ${broughtText(change)}\n`)
    }
    if (flags.json) return this.printJson(changes)
    this.say(
      'lb engines and lb strategies list what is there; engine: NAME, strategy: NAME, or plugin: NAME of a metric in lb.yaml uses it.',
    )
  }
}
