import { LbCommand, targetFlags } from '../lb-command.js'

export default class Config extends LbCommand {
  static override summary = 'Print the topology as it is understood, every default filled in.'
  static override description = 'Checks the file on the way: all mistakes at once, exit code 2. Secrets stay references.'
  static override examples = ['<%= config.bin %> config', '<%= config.bin %> config --file other.yaml --json']
  static override flags = { ...targetFlags }

  async run(): Promise<void> {
    const { flags } = await this.parse(Config)
    const { prepareTopology } = await import('../services/prepare-topology.js')
    const { renderTopology, topologyForm } = await import('@plimsoll/core')
    const { topology } = await prepareTopology({ cwd: process.cwd(), file: flags.file, name: flags.name, pluginRoots: this.pluginRoots() })
    if (flags.json) return this.printJson(topologyForm(topology))
    const text = await renderTopology(topology)
    const { sanitize } = await import('../views/sanitize.js')
    this.print(process.stdout.isTTY ? sanitize(text, { keepNewlines: true }) : text)
    this.say('The topology is in order. lb plan shows what lb up would start.')
  }
}
