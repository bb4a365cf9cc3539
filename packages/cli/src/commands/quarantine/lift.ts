import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class QuarantineLift extends LbCommand {
  static override summary = 'Let a request through again that was in quarantine.'
  static override description = 'What it did is forgotten: it takes two more crashes until it is refused again.'
  static override examples = ['<%= config.bin %> quarantine lift 3f9c0d1e2b4a5968']
  static override args = { fingerprint: Args.string({ description: 'As `lb quarantine list` shows it.', required: true }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(QuarantineLift)
    const { openConnection } = await import('../../services/open-connection.js')
    const connection = await openConnection({ cwd: process.cwd(), ...flags })
    try {
      await connection.client.liftQuarantine(args.fingerprint)
      if (flags.json) return await this.printJson({ fingerprint: args.fingerprint, done: 'lift' })
      this.say(`${args.fingerprint} is let through again.`)
      this.say('lb quarantine list shows what is left.')
    } finally {
      connection.close()
    }
  }
}
