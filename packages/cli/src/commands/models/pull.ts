import { Args, Flags } from '../../oclif.js'
import { LbCommand, balancerFlags } from '../../lb-command.js'

export default class ModelsPull extends LbCommand {
  static override summary = 'Fetch models before they are needed: each node by its engine, or from a Hugging Face hub.'
  static override description = `Without MODEL: what the topology names. Servers that keep their own models (Ollama) fetch theirs; for the others the files come into the cache of Hugging Face, where engines find them, checked by their hashes. An interrupted pull goes on where it was.
HF_TOKEN, HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE mean what they mean elsewhere.`
  static override examples = [
    '<%= config.bin %> models pull',
    '<%= config.bin %> models pull qwen3:4b --pool chat',
    '<%= config.bin %> models pull hf:ggml-org/gemma-3-4b-it-GGUF:Q4_K_M',
    '<%= config.bin %> models pull Qwen/Qwen3-4B@main --to ./qwen3-4b',
  ]
  static override args = { model: Args.string({ description: 'A tag of Ollama, or [hf:]org/name[/file][@revision][:quantisation].' }) }
  static override flags = {
    ...balancerFlags,
    pool: Flags.string({ description: 'Only for this pool.', helpValue: 'POOL' }),
    node: Flags.string({ description: 'Only for this node: pool/node, or the node alone.', helpValue: 'NODE' }),
    to: Flags.string({ description: 'Put the files into this folder, under their own names, instead of the cache.', helpValue: 'FOLDER' }),
    include: Flags.string({
      description: 'Files to fetch, with *; instead of those that make the model.',
      multiple: true,
      helpValue: 'GLOB',
    }),
    exclude: Flags.string({ description: 'Files to leave out, with *.', multiple: true, helpValue: 'GLOB' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ModelsPull)
    if (flags.remote !== undefined) return this.overSsh(flags.remote)
    const { pullWithTalk } = await import('../../services/pull-with-talk.js')
    const write = flags.json || flags.quiet ? () => undefined : (text: string) => void process.stderr.write(text)
    const report = await pullWithTalk({ cwd: process.cwd(), ...flags, model: args.model, pluginRoots: this.pluginRoots() }, write)
    if (report.failed.length > 0) process.exitCode = 1
    if (flags.json) return this.printJson(report)
    const { pullText } = await import('../../views/pull-text.js')
    this.print(pullText(report))
    this.say('lb models shows what each node has; lb up starts them.')
  }

  /** The engines and their caches are over there, so the other lb pulls. */
  private async overSsh(remote: string): Promise<void> {
    const { runOverSsh } = await import('../../services/ssh-tunnel.js')
    const { withoutRemote } = await import('../../services/ssh-remote.js')
    process.exitCode = await runOverSsh(remote, ['models', 'pull', ...withoutRemote(this.argv)])
  }
}
