import { Args, Flags } from '../oclif.js'
import { LbCommand } from '../lb-command.js'
import { fleetFlags, htmlFlag } from '../simulation-flags.js'

export default class Replay extends LbCommand {
  static override summary = "Send yesterday's requests once more, in virtual time, to another strategy or number of nodes."
  static override description = `Reads a request log (gateway.requestLog of the topology), simulates what ran and what could have run, and says what would have changed. Engines are modelled: their speed is taken from the log's time per token. Prompts are told apart by the log's prefix hashes; a request that goes on from an earlier one waits for its answer.`
  static override examples = [
    '<%= config.bin %> replay requests.log --strategy lmetric,marginal-cost',
    '<%= config.bin %> replay requests.log --nodes 3,4,6 --was round-robin',
    '<%= config.bin %> replay requests.log --nodes 2,3,4 --html replay.html',
    '<%= config.bin %> replay requests.log --topology lb.yaml --pool chat --json',
  ]
  static override args = { log: Args.string({ description: 'A request log, plain or gzip.', required: true }) }
  static override flags = {
    ...fleetFlags,
    nodes: Flags.string({ description: 'Numbers of nodes to try: 6, or several 4,6,8; default: as many as answered.', helpValue: 'LIST' }),
    strategy: Flags.string({ description: 'Strategies to try, with settings where wanted: a,b:key=value+key=value.', helpValue: 'LIST' }),
    was: Flags.string({ description: 'What ran then; default: the strategy of --topology, else the default one.', helpValue: 'STRATEGY' }),
    fit: Flags.boolean({ description: "Make the engines as slow as the log's time per token says.", default: true, allowNo: true }),
    html: htmlFlag,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Replay)
    const { replayLog } = await import('../services/replay-log.js')
    const { runProgress } = await import('../services/run-progress.js')
    const { checkReportFile, writeReport } = await import('../services/write-report.js')
    if (flags.html !== undefined) checkReportFile(process.cwd(), flags.html, args.log)
    const progress = runProgress(process.stderr, flags.json || flags.quiet)
    const report = await replayLog({ cwd: process.cwd(), pluginRoots: this.pluginRoots(), ...flags, ...args }, progress.onRun)
    progress.end()
    const { replayPage } = await import('../views/report-pages.js')
    const page = flags.html === undefined ? undefined : writeReport(replayPage(report), process.cwd(), flags.html)
    const { simulationJson } = await import('../views/simulation-text.js')
    if (flags.json) return this.printJson({ ...report, results: simulationJson(report.results) })
    const { replayText } = await import('../views/replay-text.js')
    this.print(replayText(report))
    if (page !== undefined) this.say(`The plots are in ${page}.`)
    const [before] = report.results
    this.say(
      `lb tune --trace ${args.log} --nodes ${before?.nodes ?? 1} --profile ${report.profile} --slowness ${report.slowness} searches settings for this traffic.`,
    )
  }
}
