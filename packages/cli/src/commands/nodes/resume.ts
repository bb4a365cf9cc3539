import { Args } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class NodesResume extends LbCommand {
  static override summary = 'Give a drained node requests again.'
  static override examples = ['<%= config.bin %> nodes resume demo/sim-0']
  static override args = { node: Args.string({ description: 'pool/node, or the node alone where it is clear.', required: true }) }
  static override flags = { ...balancerFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NodesResume)
    const { actOnNode } = await import('../../services/act-on-node.js')
    const nodeId = await actOnNode({ cwd: process.cwd(), ...flags }, 'resume', args.node)
    if (flags.json) return this.printJson({ node: nodeId, done: 'resume' })
    this.say(`${nodeId} takes requests again.`)
    this.say(`lb status shows it at work.`)
  }
}
