import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class NodesRestart extends LbCommand {
  static override summary = 'Drain a launched node, stop its engine and start it again.'
  static override examples = ['<%= config.bin %> nodes restart demo/sim-0']
  static override args = { node: Args.string({ description: 'pool/node, or the node alone where it is clear.', required: true }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NodesRestart)
    const { actOnNode } = await import('../../services/act-on-node.js')
    const nodeId = await actOnNode({ cwd: process.cwd(), ...flags }, 'restart', args.node)
    if (flags.json) return this.printJson({ node: nodeId, done: 'restart' })
    this.say(`${nodeId} restarts.`)
    this.say(`lb logs ${nodeId} shows how it starts; other nodes take its requests meanwhile.`)
  }
}
