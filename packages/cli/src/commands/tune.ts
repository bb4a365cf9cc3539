import { Flags } from '../oclif.js'
import { LbCommand } from '../lb-command.js'
import { fleetFlags } from '../simulation-flags.js'

export default class Tune extends LbCommand {
  static override summary = 'Search the settings of strategies for a workload or your own log, and say what they would gain.'
  static override description = `Tries settings in virtual time within a budget, then judges the best once on requests that the search has not seen: other seeds of a generated workload, the second half of a trace. Prints the gain with a 95 % interval and the lines for lb.yaml, or that there is none.`
  static override examples = [
    '<%= config.bin %> tune --trace agent --strategy marginal-cost --tries 40',
    '<%= config.bin %> tune --trace requests.log --topology lb.yaml --strategy marginal-cost,lmetric --for ttft',
    '<%= config.bin %> tune --trace chat --settings batch,queue --than lmetric',
  ]
  static override flags = {
    ...fleetFlags,
    trace: Flags.string({
      description: 'A workload or a file, as lb simulate takes it.',
      helpValue: 'NAME|FILE',
      exclusive: ['blind'],
    }),
    blind: Flags.integer({ description: 'A random workload by its number.', min: 0, helpValue: 'SEED' }),
    strategy: Flags.string({ description: 'Strategies whose settings are searched.', default: 'marginal-cost', helpValue: 'LIST' }),
    than: Flags.string({
      description: 'What they are compared with; default: the strategy of --topology, else the default one.',
      helpValue: 'STRATEGY',
    }),
    rate: Flags.string({ description: "Multiple of the workload's own rate.", helpValue: 'RATE' }),
    for: Flags.option({
      description: 'What should get smaller.',
      options: ['ttft', 'e2e', 'both'] as const,
      default: 'both',
    })(),
    settings: Flags.string({ description: 'Only these settings, by name; default: all but facts about machines.', helpValue: 'LIST' }),
    tries: Flags.integer({ description: 'Settings to try in all; each takes two runs.', default: 30, min: 1, max: 10_000 }),
    judges: Flags.integer({ description: 'Pairs of runs that judge the best.', default: 8, min: 3, max: 100 }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Tune)
    const { tuneStrategies } = await import('../services/tune-strategies.js')
    const { runProgress } = await import('../services/run-progress.js')
    const progress = runProgress(process.stderr, flags.json || flags.quiet)
    const report = await tuneStrategies({ cwd: process.cwd(), pluginRoots: this.pluginRoots(), ...flags }, progress.onRun)
    progress.end()
    if (flags.json) return this.printJson(report)
    const { tuneText } = await import('../views/tune-text.js')
    this.print(tuneText(report))
    this.say('lb simulate compares them at several rates; lb replay with your own log.')
  }
}
