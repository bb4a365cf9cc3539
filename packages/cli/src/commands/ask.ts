import { Args, Flags } from '../oclif.js'
import { LbCommand, balancerFlags } from '../lb-command.js'

export default class Ask extends LbCommand {
  static override summary = 'Ask a model one question through the gateway.'
  static override description =
    'Streams the answer to stdout, then says on stderr which node answered and how fast; lb why --last tells why that node. A prompt of - is read from stdin. A gateway that wants a key gets the one in LB_API_KEY.'
  static override examples = [
    '<%= config.bin %> ask "What is a load line?"',
    '<%= config.bin %> ask --model sim-8b --max-tokens 50 "Tell me more"',
    'cat report.txt | <%= config.bin %> ask -',
  ]
  static override args = { prompt: Args.string({ description: 'The question; - reads stdin.', required: true }) }
  static override flags = {
    ...balancerFlags,
    model: Flags.string({ char: 'm', description: 'Model to ask; default: the first one that can answer now.' }),
    'max-tokens': Flags.integer({ description: 'Longest answer, in tokens.', min: 1 }),
  }

  async run(): Promise<void> {
    this.leaveWithReader()
    const { args, flags } = await this.parse(Ask)
    const { askBalancer } = await import('../services/ask-balancer.js')
    const { answerSummary, createAnswerPrinter } = await import('../views/answer-text.js')
    const printer = createAnswerPrinter(process.stdout)
    const answer = await askBalancer({
      connection: { cwd: process.cwd(), ...flags },
      prompt: args.prompt,
      model: flags.model,
      maxTokens: flags['max-tokens'],
      onText: (text) => (flags.json ? undefined : printer.print(text)),
    })
    if (flags.json) return this.printJson(answer)
    printer.end()
    this.say(answerSummary(answer))
    this.say('lb why --last tells why that node; lb top shows the nodes at work; lb ask --json gives all of it as data.')
  }
}
