import { Flags } from '../oclif.js'
import { LbCommand } from '../lb-command.js'

export default class Purge extends LbCommand {
  static override summary = 'Remove logs and state of stopped topologies.'
  static override description = 'What still runs is left alone. Topology files are never touched.'
  static override examples = ['<%= config.bin %> purge', '<%= config.bin %> purge --name demo --yes']
  static override flags = {
    name: Flags.string({ description: 'Only this topology.', helpValue: 'NAME' }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Purge)
    const { purge, purgeCandidates } = await import('../services/purge-state.js')
    const { confirm } = await import('../services/ask-person.js')
    const { stopped, running } = await purgeCandidates(flags.name)
    if (running.length > 0) this.say(`Left alone, because something of them runs: ${running.join(', ')}. lb down --name NAME stops one.`)
    const names = stopped.map((target) => target.name)
    if (names.length > 0) {
      this.say(`This removes logs and state of: ${names.join(', ')}`)
      for (const target of stopped) this.say(`  ${target.paths.stateDir}`)
      if (!flags.yes) await confirm('Remove them?')
      purge(stopped)
    }
    if (flags.json) return this.printJson({ removed: names, leftAlone: running })
    this.say(names.length === 0 ? 'Nothing to remove.' : `Removed ${names.length}. lb up starts afresh.`)
  }
}
