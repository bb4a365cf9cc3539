import { Flags } from '../oclif.js'
import { LbCommand, balancerFlags } from '../lb-command.js'

export default class Down extends LbCommand {
  static override summary = 'Let running requests end, then stop the balancer and its engines.'
  static override description =
    'Works through the control socket; where no balancer answers, from its state file: what a killed one left is ended. Returns when nothing of it runs any more.'
  static override examples = ['<%= config.bin %> down', '<%= config.bin %> down --drain 10s', '<%= config.bin %> down --force']
  static override flags = {
    ...balancerFlags,
    drain: Flags.string({ description: "How long running requests may take to end; default: the topology's own.", helpValue: '60s' }),
    force: Flags.boolean({ description: 'Cut running requests; also ends a balancer that hangs.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Down)
    const { stopBalancer } = await import('../services/stop-balancer.js')
    const { durationMs } = await import('../services/duration-flag.js')
    const result = await stopBalancer(
      { cwd: process.cwd(), name: flags.name, file: flags.file, remote: flags.remote },
      {
        drainMs: flags.drain === undefined ? undefined : durationMs('--drain', flags.drain),
        force: flags.force,
        onDraining: (inFlight) => this.say(inFlight === 0 ? 'stopping the engines' : `draining: ${inFlight} in flight`),
      },
    )
    if (flags.json) return this.printJson(result)
    const left = result.engines.length === 0 ? 'it had left no engine running' : `ended what it had left: ${result.engines.join(', ')}`
    for (const stranger of result.strangers) this.say(`left alone: ${stranger}`)
    this.say(result.how === 'stopped' ? `${result.name} is stopped.` : `The balancer of ${result.name} was gone already; ${left}.`)
    if (result.rollouts.length > 0)
      this.say(`Not over yet: ${result.rollouts.join(', ')}. The next lb up goes on with it, or takes it back, and says which.`)
    this.say('lb up starts it again; lb purge removes its logs.')
  }
}
