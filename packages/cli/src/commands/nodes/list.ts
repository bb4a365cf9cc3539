import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class NodesList extends LbCommand {
  static override summary = 'List the nodes of the running balancer.'
  static override examples = ['<%= config.bin %> nodes list', '<%= config.bin %> nodes list --json']
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { flags } = await this.parse(NodesList)
    const { openConnection } = await import('../../services/open-connection.js')
    const { nodesOf } = await import('../../services/wait-until-settled.js')
    const connection = await openConnection({ cwd: process.cwd(), ...flags })
    try {
      const nodes = nodesOf(await connection.client.status())
      if (flags.json) return await this.printJson(nodes)
      const { nodeTable } = await import('../../views/node-table.js')
      this.print(nodeTable(nodes))
      this.say('lb nodes drain NODE takes one out; lb logs NODE shows what it says.')
    } finally {
      connection.close()
    }
  }
}
