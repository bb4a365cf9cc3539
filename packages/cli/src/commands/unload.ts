import { Args, Flags } from '../oclif.js'
import { LbCommand, balancerFlags } from '../lb-command.js'

export default class Unload extends LbCommand {
  static override summary = 'Take the engines of a pool, or of all, out of memory; the next request wakes them.'
  static override description =
    'For pools that share accelerators (`residency` in lb.yaml). Work in flight ends first, and where there is some it asks.'
  static override examples = [
    '<%= config.bin %> unload chat',
    '<%= config.bin %> unload --all',
    '<%= config.bin %> unload chat --yes --json',
  ]
  static override args = { pool: Args.string({ description: 'The pool; absent with --all.' }) }
  static override flags = {
    ...balancerFlags,
    all: Flags.boolean({ description: 'Every pool that shares accelerators and is not at rest.', default: false }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Unload)
    const { unloadPools } = await import('../services/unload-pools.js')
    const unloaded = await unloadPools({ cwd: process.cwd(), ...flags }, { pool: args.pool, all: flags.all, yes: flags.yes })
    if (flags.json) return this.printJson(flags.all ? unloaded : unloaded[0])
    const { unloadText } = await import('../views/scale-text.js')
    for (const residency of unloaded) this.print(unloadText(residency))
    if (unloaded.length === 0) return this.say('no pool that shares accelerators is in memory.')
    this.say('lb status shows who is in memory; a request for it wakes it.')
  }
}
