import { Flags } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class Models extends LbCommand {
  static override summary = 'List what each pool and node serves: context length, adapters, what is in memory.'
  static override description =
    'Asks the engines through the balancer that runs. Where none does, it asks the attached servers of the topology file itself. --json has full hashes.'
  static override examples = ['<%= config.bin %> models', '<%= config.bin %> models --pool chat --json']
  static override flags = {
    ...balancerFlags,
    pool: Flags.string({ description: 'Only this pool.', helpValue: 'POOL' }),
    node: Flags.string({ description: 'Only this node: pool/node, or the node alone.', helpValue: 'NODE' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Models)
    const { listModels } = await import('../../services/list-models.js')
    const nodes = await listModels({ cwd: process.cwd(), ...flags, pluginRoots: this.pluginRoots() })
    if (flags.json) return this.printJson({ nodes })
    const { modelsText } = await import('../../views/models-text.js')
    this.print(modelsText(nodes))
    this.say('lb models pull fetches what is missing; lb status shows the nodes.')
  }
}
