import { LbCommand } from '../lb-command.js'

export default class Engines extends LbCommand {
  static override summary = 'List the engines that installed plugins bring, and what of them is on this machine.'
  static override examples = ['<%= config.bin %> engines', '<%= config.bin %> engines --json']

  async run(): Promise<void> {
    const { flags } = await this.parse(Engines)
    const { detectEngines } = await import('../services/detect-engines.js')
    const reports = await detectEngines(this.pluginRoots())
    if (flags.json) return this.printJson(reports)
    const { textTable } = await import('../views/text-table.js')
    this.print(
      textTable(
        ['ENGINE', 'CAN', 'HERE', 'PLUGIN', 'WHAT WAS SEEN'],
        reports.map(({ engine, canLaunch, detection, packageName, packageVersion }) => [
          engine,
          canLaunch ? 'launch, attach' : 'attach',
          detection === null ? 'unknown' : detection.found ? 'yes' : 'no',
          `${packageName} ${packageVersion}`,
          detection?.detail ?? 'its plugin does not look',
        ]),
      ),
    )
    this.say('lb init writes a topology for what is here; lb plugins install NAME adds an engine.')
  }
}
