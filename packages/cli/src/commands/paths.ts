import { LbCommand, targetFlags } from '../lb-command.js'

export default class Paths extends LbCommand {
  static override summary = 'Show where a topology keeps its socket, state and logs.'
  static override description = 'XDG_RUNTIME_DIR, XDG_STATE_HOME and XDG_CACHE_HOME move them.'
  static override examples = [
    '<%= config.bin %> paths',
    'curl --unix-socket "$(<%= config.bin %> paths --json | jq -r .socketPath)" http://lb/v1/status',
  ]
  static override flags = { ...targetFlags }

  async run(): Promise<void> {
    const { flags } = await this.parse(Paths)
    const { pathsOf } = await import('../services/paths-of.js')
    const paths = await pathsOf({ cwd: process.cwd(), name: flags.name, file: flags.file, pluginRoots: this.pluginRoots() })
    if (flags.json) return this.printJson(paths)
    const { textTable } = await import('../views/text-table.js')
    this.print(textTable(['WHAT', 'WHERE'], Object.entries(paths)))
    this.say('lb logs reads the logs; lb purge removes what stopped topologies left.')
  }
}
