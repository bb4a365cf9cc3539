import { Flags } from '../oclif.js'
import { LbCommand } from '../lb-command.js'
import type { Proposal } from '../services/init-topology.js'

export default class Init extends LbCommand {
  static override summary = 'Write a first lb.yaml here.'
  static override description =
    'Looks for engines that run or are installed on this machine and proposes a topology: attach what runs, launch what is installed with a model that lies here, on a GPU that is free. With --template it writes that one. An lb.yaml that is there stays, unless --force.'
  static override examples = ['<%= config.bin %> init', '<%= config.bin %> init --yes --template sim', '<%= config.bin %> init --list']
  static override flags = {
    template: Flags.string({ char: 't', description: 'Write this template; --list shows them.', helpValue: 'NAME' }),
    list: Flags.boolean({ description: 'List the templates and write nothing.' }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask; take the best proposal.' }),
    force: Flags.boolean({ description: 'Replace an lb.yaml that is there.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Init)
    if (flags.list) return this.list(flags.json)
    const { writeTopology } = await import('../services/init-topology.js')
    const chosen = await this.proposal(flags)
    const path = writeTopology(process.cwd(), chosen.text, { force: flags.force })
    if (flags.json) return this.printJson({ file: path, template: chosen.name })
    this.say(`Wrote ${path}: ${chosen.summary}`)
    this.say('Look it over, then: lb plan shows what it starts, lb up starts it.')
  }

  private async proposal(flags: { template: string | undefined; yes: boolean; json: boolean }): Promise<Proposal> {
    const { readTemplate } = await import('../services/templates.js')
    if (flags.template !== undefined) return readTemplate(flags.template)
    const { detectEngines } = await import('../services/detect-engines.js')
    const { leftOut, proposals } = await import('../services/init-topology.js')
    const { withGpus } = await import('../services/propose-gpus.js')
    const reports = await detectEngines(this.pluginRoots())
    const found = proposals(reports)
    for (const why of leftOut(reports)) this.say(`Not proposed: ${why}`)
    return withGpus(await this.chosen(found, flags.yes), process.cwd(), this.pluginRoots())
  }

  private async chosen(found: readonly Proposal[], yes: boolean): Promise<Proposal> {
    const [best, ...others] = found
    if (best === undefined || (!yes && others.length > 0)) {
      const { choose } = await import('../services/ask-person.js')
      return choose('Which topology shall it be?', found)
    }
    for (const { name, summary } of others) if (name !== 'sim') this.say(`Also here: ${summary}   (without --yes you may choose)`)
    return best
  }

  private async list(json: boolean): Promise<void> {
    const { readTemplate, templateNames } = await import('../services/templates.js')
    const templates = templateNames().map((name) => readTemplate(name))
    if (json) return this.printJson(templates.map(({ name, summary }) => ({ name, summary })))
    const { textTable } = await import('../views/text-table.js')
    this.print(
      textTable(
        ['TEMPLATE', 'WHAT IT IS'],
        templates.map(({ name, summary }) => [name, summary]),
      ),
    )
    this.say('lb init --template NAME writes one.')
  }
}
