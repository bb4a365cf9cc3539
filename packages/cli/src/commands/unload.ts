import { Args, Flags } from '../oclif.js'
import { LbCommand, balancerFlags } from '../lb-command.js'

export default class Unload extends LbCommand {
  static override summary = 'Take the engines of a pool out of memory; the next request wakes them.'
  static override description =
    'For pools that share accelerators (`residency` in lb.yaml). Work in flight ends first, and where there is some it asks.'
  static override examples = ['<%= config.bin %> unload chat', '<%= config.bin %> unload chat --yes --json']
  static override args = { pool: Args.string({ description: 'The pool.', required: true }) }
  static override flags = { ...balancerFlags, yes: Flags.boolean({ char: 'y', description: 'Do not ask.' }) }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Unload)
    const { unloadPool } = await import('../services/scale-pool.js')
    const residency = await unloadPool({ cwd: process.cwd(), ...flags }, { pool: args.pool, yes: flags.yes })
    if (flags.json) return this.printJson(residency)
    const { unloadText } = await import('../views/scale-text.js')
    this.print(unloadText(residency))
    this.say('lb status shows who is in memory; a request for it wakes it.')
  }
}
