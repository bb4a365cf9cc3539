import { Flags } from '../oclif.js'
import { LbCommand } from '../lb-command.js'

export default class Gpus extends LbCommand {
  static override summary = 'List the GPUs of this machine or another: memory, load, and the nodes that they are reserved for.'
  static override description =
    'Asks nvidia-smi, amd-smi or rocm-smi, the kernel, or macOS; needs no running balancer. The numbers and ids are what `gpus` of a topology takes. A tool that hangs is given up after 5 seconds. Reservations are those of this machine.'
  static override examples = [
    '<%= config.bin %> gpus',
    '<%= config.bin %> gpus --json | jq ".gpus[].memFreeMiB"',
    '<%= config.bin %> gpus --host gpu1',
  ]
  static override flags = {
    host: Flags.string({ description: 'Another machine: a host of the topology, or an address for ssh.', helpValue: '[USER@]HOST[:PORT]' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Gpus)
    const survey = await this.survey(flags.host)
    if (flags.json) return this.printJson(survey)
    const { gpuTable } = await import('../views/gpu-table.js')
    this.print(gpuTable(survey))
    this.say('launch.gpus of a topology gives them to nodes; lb plan shows which node would get which.')
  }

  private async survey(host: string | undefined) {
    const { surveyGpus, surveyGpusOf } = await import('@plimsoll/core')
    if (host === undefined) return surveyGpus(process.env)
    const { gpuHost } = await import('../services/gpu-host.js')
    return surveyGpusOf(await gpuHost(host, { cwd: process.cwd(), pluginRoots: this.pluginRoots() }), process.env)
  }
}
