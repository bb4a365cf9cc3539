import { exitCodes } from './exit-codes.js'
import { Command, Flags } from './oclif.js'

/** Flags of every command. */
export const everyFlag = {
  json: Flags.boolean({ description: 'Print JSON and nothing else.', helpGroup: 'GLOBAL' }),
  quiet: Flags.boolean({ char: 'q', description: 'Leave out what is not the answer.', helpGroup: 'GLOBAL' }),
  verbose: Flags.boolean({ char: 'v', description: 'Say more, also about errors.', helpGroup: 'GLOBAL' }),
}

/** Flags of every command that means one topology. */
export const targetFlags = {
  name: Flags.string({
    description: 'Name of the topology; default: the one whose file is here, or the only one that runs.',
    helpValue: 'NAME',
  }),
  file: Flags.string({ description: 'Topology file; default: lb.yaml here or above.', helpValue: 'PATH' }),
}

/** And of those that talk to a balancer. */
export const balancerFlags = {
  ...targetFlags,
  remote: Flags.string({
    description: 'Talk to a balancer on another machine, through your own ssh.',
    helpValue: 'ssh://[USER@]HOST[:PORT]',
  }),
}

/** And of those that begin or decide what goes on after they have left. */
export const waitFlags = {
  wait: Flags.boolean({ description: 'Watch it to its end; the exit code says how it ended.' }),
  timeout: Flags.string({
    description: 'With --wait: leave with 1 after so long. The rollout goes on.',
    helpValue: '10m',
    dependsOn: ['wait'],
  }),
}

/** Base of every command: stdout is the answer, stderr is the talk, each error has three parts and an exit code. Heavy imports belong inside `run()`. */
export abstract class LbCommand extends Command {
  static override baseFlags = everyFlag

  /** Talk: what happens, what next. Silent with --json and --quiet. */
  protected say(text: string): void {
    if (!this.has('--json') && !this.has('--quiet', '-q')) process.stderr.write(`${text}\n`)
  }

  /** The answer; `text` brings its own line breaks. */
  protected print(text: string): void {
    process.stdout.write(text)
  }

  protected async printJson(value: unknown): Promise<void> {
    const { jsonText } = await import('./views/json-text.js')
    this.print(`${jsonText(value)}\n`)
  }

  /** Folders of plugins that the user installed or linked. */
  protected pluginRoots(): string[] {
    return [...this.config.plugins.values()]
      .filter((plugin) => plugin.type === 'user' || plugin.type === 'link')
      .map((plugin) => plugin.root)
  }

  /** How wide the answer may be; a pipe has no width. */
  protected size(): { readonly columns?: number } {
    return process.stdout.isTTY ? { columns: process.stdout.columns } : {}
  }

  /** For commands that go on and on: when nobody reads stdout any more, as after `| head -1`, they leave. */
  protected leaveWithReader(): void {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitCodes.unread)
    })
  }

  protected override async catch(thrown: unknown): Promise<void> {
    const { isExit, showError } = await import('./show-error.js')
    if (isExit(thrown)) throw thrown
    showError(thrown, this.argv)
  }

  /** Looks at what was typed, because an error may come before or from the parser. */
  private has(...names: readonly string[]): boolean {
    const end = this.argv.indexOf('--')
    const typed = end < 0 ? this.argv : this.argv.slice(0, end)
    return names.some((name) => typed.includes(name))
  }
}
