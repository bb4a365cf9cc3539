import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class QuarantineList extends LbCommand {
  static override summary = 'List requests that made engines crash and are refused.'
  static override description =
    'A request on which two nodes crashed is refused for a while, whoever sends it. It is named by a salted fingerprint; its text is kept nowhere.'
  static override examples = ['<%= config.bin %> quarantine list', '<%= config.bin %> quarantine list --json']
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { flags } = await this.parse(QuarantineList)
    const { openConnection } = await import('../../services/open-connection.js')
    const connection = await openConnection({ cwd: process.cwd(), ...flags })
    try {
      const bodies = await connection.client.quarantine()
      if (flags.json) return await this.printJson(bodies)
      if (bodies.length === 0) return this.say('Nothing is in quarantine: no request has made two nodes crash lately.')
      const { quarantineTable } = await import('../../views/quarantine-table.js')
      this.print(quarantineTable(bodies, Date.now()))
      this.say('lb quarantine lift FINGERPRINT lets one through; lb logs NODE shows what its engine said.')
    } finally {
      connection.close()
    }
  }
}
