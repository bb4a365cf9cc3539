import { LbError } from '../../errors/index.js'
import type { ProcessIdentity } from '../identity.js'
import {
  factsScript,
  findScript,
  listeningScript,
  livingScript,
  spawnScript,
  stopScript,
  watchScript,
  type RemoteSpawn,
  type RemoteWatch,
} from './remote-scripts.js'
import type { SshLink } from './ssh-link.js'
import type { StopTreeResult } from '../stop-tree.js'

export interface RemoteFacts {
  readonly bootId: string
  readonly home: string
  /** As `uname -s` says. */
  readonly system: string
}

/** A process there with the length of its log when it was looked at. */
export interface RemoteProcess {
  readonly identity: ProcessIdentity
  readonly logBytes: number
}

/** What a stop may take over there beyond its steps. */
const STOP_MARGIN_MS = 15_000

/** Processes, ports and logs of another machine, through a link. Everything that must not be half done is one script over there. */
export class RemoteMachine {
  private known: RemoteFacts | undefined

  constructor(private readonly link: SshLink) {}

  /** Asked again with each new boot: `forget` it when an identity no longer fits. */
  async facts(): Promise<RemoteFacts> {
    if (this.known !== undefined) return this.known
    const { stdout } = await this.link.run(factsScript)
    const word = (name: string): string => new RegExp(`^${name} (.*)$`, 'm').exec(stdout)?.[1]?.trim() ?? ''
    const facts = { bootId: word('boot'), home: word('home'), system: word('system') }
    if (facts.bootId === '' || facts.home === '') throw unreadable('facts', stdout)
    this.known = facts
    return facts
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

  /** Of these, the ones that still live the same life on the same boot. */
  async living(identities: readonly ProcessIdentity[]): Promise<readonly ProcessIdentity[]> {
    if (identities.length === 0) return []
    const { stdout } = await this.link.run(livingScript(identities))
    const bootId = /^boot (.*)$/m.exec(stdout)?.[1]?.trim()
    if (bootId === undefined) throw unreadable('list of processes', stdout)
    const rows = new Set(stdout.split('\n'))
    return identities.filter((each) => each.bootId === bootId && rows.has(`${each.pid} ${each.startTime}`))
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
    if (result === 'stopped' || result === 'stranger') return result
    if (result === 'forced') return 'forced'
    throw unreadable('end of a process', stdout)
  }

  /** The first loopback port from `first` to `last` on which nothing listens there, passing over `skip`. Throws LB_NO_FREE_PORT. */
  async freePort(range: { readonly first: number; readonly last: number }, skip: ReadonlySet<number>): Promise<number> {
    const taken = await this.listening()
    for (let port = range.first; port <= range.last; port += 1) if (!skip.has(port) && !taken.has(port)) return port
    throw new LbError(`no free port from ${range.first} to ${range.last} over there`, { code: 'LB_NO_FREE_PORT', source: 'operator' })
  }

  /** Ports on which something listens there. */
  async listening(): Promise<ReadonlySet<number>> {
    const { stdout } = await this.link.run(listeningScript)
    return new Set(stdout.split('\n').map(Number))
  }

  /** The script that prints a growing log until its process ends. */
  watch(watch: RemoteWatch): string {
    return watchScript(watch)
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
