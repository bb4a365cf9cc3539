import { LbCommand } from '../lb-command.js'

export default class Gpus extends LbCommand {
  static override summary = 'List the GPUs of this machine: memory, load, and the nodes that they are reserved for.'
  static override description =
    'Asks nvidia-smi, amd-smi or rocm-smi, the kernel, or macOS; needs no running balancer. The numbers and ids are what `gpus` of a topology takes. A tool that hangs is given up after 5 seconds.'
  static override examples = ['<%= config.bin %> gpus', '<%= config.bin %> gpus --json | jq ".gpus[].memFreeMiB"']

  async run(): Promise<void> {
    const { flags } = await this.parse(Gpus)
    const { surveyGpus } = await import('@plimsoll/core')
    const survey = await surveyGpus(process.env)
    if (flags.json) return this.printJson(survey)
    const { gpuTable } = await import('../views/gpu-table.js')
    this.print(gpuTable(survey))
    this.say('launch.gpus of a topology gives them to nodes; lb plan shows which node would get which.')
  }
}
