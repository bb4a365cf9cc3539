export type Environment = Readonly<Record<string, string | undefined>>

export interface Interpolated {
  readonly text: string
  readonly problems: readonly {
    /** Index into the text as written. */ readonly index: number
    readonly width: number
    readonly message: string
    readonly hint: string
  }[]
}

const reference = /\$\$\{|\$\{([^}]*)\}?/g

/** Replaces `${NAME}` and `${NAME:-default}` (which also stands in for an empty value); `$${` is a plain `${`. */
export function interpolate(text: string, env: Environment): Interpolated {
  const problems: { index: number; width: number; message: string; hint: string }[] = []
  const replaced = text.replace(reference, (whole: string, inner: string | undefined, index: number) => {
    if (inner === undefined) return '${'
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner)
    const name = match?.[1]
    if (name === undefined || !whole.endsWith('}')) {
      problems.push({
        index,
        width: whole.length,
        message: `\`${whole}\` is not a reference`,
        hint: 'write ${NAME} or ${NAME:-default}; $${ stands for a plain ${',
      })
      return ''
    }
    const value = env[name]
    if (value !== undefined && (value !== '' || match?.[2] === undefined)) return value
    if (match?.[2] !== undefined) return match[2]
    problems.push({
      index,
      width: whole.length,
      message: `the environment variable ${name} is not set`,
      hint: `set it, or give a default: \${${name}:-value}`,
    })
    return ''
  })
  return { text: replaced, problems }
}

/** True below keys that hold secrets: there a `${...}` would put the secret into the resolved file. */
export function holdsSecret(path: readonly (string | number)[]): boolean {
  return path.some((step) => step === 'apiKey' || step === 'apiKeys')
}

/** Filled in at each launch: what the engine's command line may name before anybody knows it. */
const LAUNCH_PLACEHOLDERS = { PORT: '${PORT}', HOST: '${HOST}', MODEL: '${MODEL}', REPLICA: '${REPLICA}' }

/** The variables that a value at this path may name: inside `launch.command`, those of the launch stay as they are written. */
export function environmentAt(path: readonly (string | number)[], env: Environment): Environment {
  return path.at(-2) === 'command' && path.at(-3) === 'launch' ? { ...env, ...LAUNCH_PLACEHOLDERS } : env
}
