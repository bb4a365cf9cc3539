export interface CommandEnd {
  /** Null when it could not be started, or was killed for lateness or by a signal. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunCommandOptions {
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv
  /** Its standard input. */
  readonly input: string
  readonly withinMs: number
  readonly signal?: AbortSignal
}

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024

/** Runs a command with a text on its standard input, to its end or to the limit; output is cut at 4 MiB. Never throws for how it ended. */
export async function runCommand(command: string, args: readonly string[], options: RunCommandOptions): Promise<CommandEnd> {
  const { execa } = await import('execa')
  const end = await execa(command, args, {
    env: options.env,
    extendEnv: false,
    input: options.input,
    timeout: options.withinMs,
    forceKillAfterDelay: 500,
    maxBuffer: MAX_OUTPUT_BYTES,
    reject: false,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  })
  const why = end.failed && end.exitCode === undefined && !end.timedOut ? (end.shortMessage ?? '') : ''
  return { code: end.exitCode ?? null, stdout: end.stdout, stderr: end.stderr === '' ? why : end.stderr }
}
