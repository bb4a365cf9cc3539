import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { text as readAll } from 'node:stream/consumers'
import { destinationArguments, LbError, shellWord } from '@plimsoll/core'
import { chooseFiles, type FileWish } from './choose-files.js'
import { contentHashOf } from './content-hash.js'
import { createHubClient } from './hub-client.js'
import type { HubSettings } from './hub-settings.js'
import { readRevision } from './repository-files.js'

/** Another machine, as the system's ssh is told of it. */
export interface SshPlace {
  readonly host: string
  readonly user?: string
  readonly port?: number
  /** Absolute; used in the place of the user's own configuration of ssh. */
  readonly configFile?: string
  /** Absolute, over there: its `hf` comes first. */
  readonly venv?: string
}

export interface PullOverSshOptions extends FileWish {
  readonly place: SshPlace
  readonly settings: HubSettings
  /** Variables for the command over there, such as HF_HOME. No secrets. */
  readonly variables: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly onStep: (step: string) => void
}

export interface PulledOverSsh {
  readonly commit: string
  readonly contentHash: string
  /** Over there. */
  readonly folder: string
  readonly bytes: number
}

/**
 * Has another machine fetch a model with its own `hf`, which resumes and checks: nothing of ours runs there. Which files, and what their content is, is
 * asked of the hub from here, so that the hash is the same as everywhere. Throws LB_REMOTE_PULL_FAILED with what was said over there.
 */
export async function pullOverSsh(options: PullOverSshOptions): Promise<PulledOverSsh> {
  const { settings, reference, signal, place } = options
  const hub = await createHubClient(settings, signal)
  const { commit, files } = await readRevision(hub, reference)
  const chosen = chooseFiles(files, options)
  const { repo, revision = 'main' } = reference
  const folder = await runThere(options, ['download', repo, ...chosen.map(({ path }) => path), '--revision', revision])
  if (!folder.includes(commit))
    throw failed(place, `it has another state of ${repo} than the hub tells: ${folder}`, 'try again: the branch may just have moved')
  return { commit, contentHash: contentHashOf(chosen), folder, bytes: chosen.reduce((sum, { bytes }) => sum + bytes, 0) }
}

/** Resolves with its last line, which names the folder. */
async function runThere({ place, settings, variables, signal, onStep }: PullOverSshOptions, args: readonly string[]): Promise<string> {
  const child = spawn(
    'ssh',
    [
      ...(place.configFile === undefined ? [] : ['-F', place.configFile]),
      ...destinationArguments(place),
      scriptFor(place, variables, args),
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  const abort = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', abort)
  let said = ''
  createInterface({ input: child.stderr }).on('line', (line) => {
    const last = line.split('\r').at(-1)?.trim() ?? ''
    if (last !== '') onStep((said = last))
  })
  // Its end of stdin stays open: when this process ends, the download over there ends with it.
  child.stdin.on('error', () => undefined).write(`${settings.token ?? ''}\n`)
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', (error) => reject(failed(place, error.message)))
  child.once('close', (code) => resolve(code))
  try {
    const [output, code] = await Promise.all([readAll(child.stdout), ended])
    signal.throwIfAborted()
    if (code === 127)
      throw failed(place, 'there is no `hf` there', 'install huggingface_hub there, or name its environment: hosts.NAME.venv')
    if (code !== 0) throw failed(place, said || `ssh ended with ${code ?? 'a signal'}`)
    return output.trim().split('\n').at(-1)?.trim() ?? ''
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** For any login shell: one word for `sh`. The token comes on stdin, because everybody there can read a command line. */
function scriptFor({ venv }: SshPlace, variables: Readonly<Record<string, string>>, args: readonly string[]): string {
  const words = args.map(shellWord).join(' ')
  const script = [
    'IFS= read -r HF_TOKEN; if [ -n "$HF_TOKEN" ]; then export HF_TOKEN; else unset HF_TOKEN; fi',
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    `PATH=${venv === undefined ? '' : `${shellWord(venv)}/bin:`}$HOME/.local/bin:$PATH; export PATH`,
    'command=hf; command -v hf >/dev/null || command=huggingface-cli; command -v "$command" >/dev/null || exit 127',
    `exec 3<&0; "$command" ${words} </dev/null 3<&- & child=$!`,
    '{ cat <&3; kill "$child"; } >/dev/null 2>&1 & watch=$!',
    'wait "$child"; code=$?; kill "$watch" 2>/dev/null; exit "$code"',
  ].join('\n')
  return `exec sh -c ${shellWord(script)}`
}

function failed({ host }: SshPlace, why: string, hint = `try it there: ssh ${host} hf download --help`): LbError {
  return new LbError(`${host} cannot fetch the model: ${why}`, { code: 'LB_REMOTE_PULL_FAILED', source: 'operator', hint })
}
