import { LbError } from '../../errors/index.js'
import type { ProcessIdentity } from '../identity.js'
import {
  findScript,
  homeScript,
  listeningScript,
  spawnScript,
  stopScript,
  watchScript,
  type RemoteSpawn,
  type RemoteWatch,
} from './remote-scripts.js'
import type { SshLink } from './ssh-link.js'
import type { StopTreeResult } from '../stop-tree.js'

/** A process there with the length of its log when it was looked at. */
export interface RemoteProcess {
  readonly identity: ProcessIdentity
  readonly logBytes: number
}

/** What a stop may take over there beyond its steps. */
const STOP_MARGIN_MS = 15_000

/** Processes, ports and logs of another machine, through a link. Everything that must not be half done is one script over there. */
export class RemoteMachine {
  private knownHome: string | undefined

  constructor(private readonly link: SshLink) {}

  /** Home folder of the login there. */
  async home(): Promise<string> {
    if (this.knownHome !== undefined) return this.knownHome
    const { stdout } = await this.link.run(homeScript)
    const home = /^home (\/.*)$/m.exec(stdout)?.[1]
    if (home === undefined) throw unreadable('home folder', stdout)
    this.knownHome = home
    return home
  }

  /** Starts a process of its own session. Throws LB_REMOTE_UNREADABLE, LB_CANNOT_LAUNCH, LB_SSH_FAILED. */
  async spawn(request: RemoteSpawn): Promise<RemoteProcess> {
    const { code, stdout, stderr } = await this.link.run(spawnScript(request))
    if (code === 73)
      throw new LbError(`its log ${request.logPath} cannot be written over there: ${stderr.trim()}`, {
        code: 'LB_CANNOT_LAUNCH',
        source: 'operator',
      })
    const match = /^spawned (\d+) (\S+) (\S+) (\d+)$/m.exec(stdout)
    if (match === null) throw unreadable('start of a process', `${stdout}${stderr}`)
    return processOf(match)
  }

  /** The process that a run file remembers, if it still lives, with the note of its start. */
  async find(runFile: string, logPath: string): Promise<(RemoteProcess & { readonly note: string }) | undefined> {
    const { stdout } = await this.link.run(findScript(runFile, logPath))
    const match = /^found (\d+) (\S+) (\S+) (\d+) (.*)$/m.exec(stdout)
    return match === null ? undefined : { ...processOf(match), note: match[5] ?? '' }
  }

  /** Ends a process with all that it started, by the same rules as here. */
  async stop(
    identity: ProcessIdentity,
    mark: string,
    steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[],
  ): Promise<StopTreeResult> {
    const withinMs = steps.reduce((sum, step) => sum + step.waitMs, STOP_MARGIN_MS)
    const { stdout } = await this.link.run(stopScript({ ...identity, mark, steps }), { withinMs })
    const result = stdout.trim().split('\n').at(-1)
    if (result === 'stopped' || result === 'forced' || result === 'stranger') return result
    throw unreadable('end of a process', stdout)
  }

  /** Ports on which something listens there. */
  async listening(): Promise<ReadonlySet<number>> {
    const { stdout } = await this.link.run(listeningScript)
    return new Set(stdout.split('\n').map(Number))
  }

  /** Hands on what a log there grows by until its process ends; resolves with true then, with false when the link broke. */
  async follow(watch: RemoteWatch, onData: (part: Buffer) => void): Promise<boolean> {
    return (await this.link.stream(watchScript(watch), onData)) === 0
  }
}

function processOf([, pid, startTime = '', bootId = '', logBytes]: readonly string[]): RemoteProcess {
  return { identity: { pid: Number(pid), startTime, bootId }, logBytes: Number(logBytes) }
}

function unreadable(what: string, said: string): LbError {
  return new LbError(`the other machine's answer about the ${what} cannot be read: ${said.trim().slice(0, 200)}`, {
    code: 'LB_REMOTE_UNREADABLE',
    source: 'operator',
    hint: 'its login shell must start sh quietly: look at what `ssh HOST true` prints',
  })
}
