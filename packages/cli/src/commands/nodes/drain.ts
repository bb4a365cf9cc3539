import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class NodesDrain extends LbCommand {
  static override summary = 'Take a node out: no new requests, running ones end.'
  static override examples = ['<%= config.bin %> nodes drain demo/sim-0']
  static override args = { node: Args.string({ description: 'pool/node, or the node alone where it is clear.', required: true }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NodesDrain)
    const { actOnNode } = await import('../../services/act-on-node.js')
    const nodeId = await actOnNode({ cwd: process.cwd(), ...flags }, 'drain', args.node)
    if (flags.json) return this.printJson({ node: nodeId, done: 'drain' })
    this.say(`${nodeId} is draining.`)
    this.say(`lb nodes resume ${nodeId} puts it back.`)
  }
}
