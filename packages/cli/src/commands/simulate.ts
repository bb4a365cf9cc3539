import { Flags } from '../oclif.js'
import { LbCommand } from '../lb-command.js'
import { faultFlag, fleetFlags, htmlFlag } from '../simulation-flags.js'

export default class Simulate extends LbCommand {
  static override summary = 'Compare strategies on a workload in virtual time: no engines, no GPUs, seconds for an hour of traffic.'
  static override description = `Runs the same strategies and belief as the balancer against modelled engines. A rate is a multiple of the workload's own; without --rate it is what the nodes are meant to serve.
Workloads: agent, chat, tenant and bursty are generated; mooncake, azure and azure-code are public traces; a file is CSV (also gzip) or a request log.`
  static override examples = [
    '<%= config.bin %> simulate --trace mooncake --strategy lmetric,marginal-cost',
    '<%= config.bin %> simulate --trace chat --nodes 8 --rate 0.6..1.2 --html chat.html',
    '<%= config.bin %> simulate --trace agent --fault crash@60s:n2 --strategy marginal-cost,marginal-cost:batch=3+queue=2',
    '<%= config.bin %> simulate --trace ./requests.csv.gz --topology lb.yaml --strategy lmetric --json',
  ]
  static override flags = {
    ...fleetFlags,
    trace: Flags.string({
      description: 'agent, chat, tenant, bursty, mooncake, azure, azure-code, or a file.',
      helpValue: 'NAME|FILE',
      exclusive: ['blind'],
    }),
    blind: Flags.integer({ description: 'A random workload that nobody has tuned on, by its number.', min: 0, helpValue: 'SEED' }),
    strategy: Flags.string({
      description: 'Strategies to compare, with settings where wanted: a,b:key=value+key=value.',
      helpValue: 'LIST',
    }),
    rate: Flags.string({ description: '1.2, a list, a range of four 0.6..1.2, or of seven 0.6..1.2/7.', helpValue: 'RATES' }),
    fault: faultFlag,
    belief: Flags.option({
      description: 'How the balancer knows what caches hold: by what it sent, by the engines’ own events, or not.',
      options: ['mirror', 'exact', 'none'] as const,
      default: 'mirror',
    })(),
    html: htmlFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Simulate)
    const { simulateWorkload } = await import('../services/simulate-workload.js')
    const { runProgress } = await import('../services/run-progress.js')
    const { checkReportFile, writeReport } = await import('../services/write-report.js')
    if (flags.html !== undefined) checkReportFile(process.cwd(), flags.html, flags.trace)
    const progress = runProgress(process.stderr, flags.json || flags.quiet)
    const report = await simulateWorkload({ cwd: process.cwd(), pluginRoots: this.pluginRoots(), ...flags }, progress.onRun)
    progress.end()
    const { simulationPage } = await import('../views/report-pages.js')
    const page = flags.html === undefined ? undefined : writeReport(simulationPage(report), process.cwd(), flags.html)
    const { simulationJson, simulationText } = await import('../views/simulation-text.js')
    if (flags.json) return this.printJson({ ...report, results: simulationJson(report.results) })
    this.print(simulationText(report))
    this.say(
      page === undefined
        ? '--html FILE draws this; lb tune searches settings; lb replay does it with your own log.'
        : `The plots are in ${page}.`,
    )
  }
}
