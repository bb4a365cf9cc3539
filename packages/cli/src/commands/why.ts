import { Args, Flags } from '../oclif.js'
import { LbCommand, balancerFlags } from '../lb-command.js'
import { wrongInput } from '../wrong-input.js'

export default class Why extends LbCommand {
  static override summary = 'Tell why a request went to its node: candidates, costs, the choice, and what became of it.'
  static override description =
    'ID is the x-request-id of the answer. A decision is kept for a share of the requests (gateway.traceShare, 1 % by default) and for those that ask with the header x-lb-trace: 1, from this machine or with a key. With --json it prints the documented decision (docs/reference/decision.md).'
  static override examples = [
    '<%= config.bin %> why req_01JD2C4N8M5T9K3QXB',
    '<%= config.bin %> why --last',
    '<%= config.bin %> why --last --json | jq ".decisions[0].candidates"',
  ]
  static override args = { id: Args.string({ description: 'The x-request-id of an answer.', required: false }) }
  static override flags = {
    ...balancerFlags,
    last: Flags.boolean({ description: 'The newest request whose decision was kept.', default: false }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Why)
    if (args.id !== undefined && flags.last) throw wrongInput('an ID and --last are two requests', 'lb why ID, or lb why --last')
    if (args.id === undefined && !flags.last) throw wrongInput('say which request is meant', 'lb why ID, or lb why --last')
    const { explainRequest } = await import('../services/explain-request.js')
    const why = await explainRequest({ cwd: process.cwd(), ...flags, id: args.id })
    if (flags.json) return this.printJson(why)
    const { whyLines } = await import('../views/why-text.js')
    this.print(`${whyLines(why).join('\n')}\n`)
    this.say('docs/guides/why.md tells how to read it.')
  }
}
