import { setTimeout as sleep } from 'node:timers/promises'
import { isLbError, messageOf } from '../../errors/index.js'
import { RemoteMachine, type RemoteProcess } from './remote-machine.js'
import type { SshDestination } from './ssh-destination.js'
import { SshLink } from './ssh-link.js'

/** Everything that a stand-in needs to run one engine on another machine; handed over as JSON. */
export interface RemoteEngineOrder {
  /** Of the host, for people. */
  readonly host: string
  readonly destination: SshDestination
  /** `-o` options for ssh. */
  readonly options: readonly string[]
  /** Used in the place of the user's own configuration. */
  readonly configFile?: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly inherited: readonly string[]
  /** Where the engine is reached here; absent where it is reached directly. */
  readonly port?: number
  /** Where it listens there; a tunnel joins the two. */
  readonly remotePort: number
  readonly mark: string
  /** Equal hashes, the same engine: one that runs already is taken over. */
  readonly hash: string
  /** Below the home folder there, without a leading slash: `.local/state/plimsoll/demo/chat.gpu`. */
  readonly statePath: string
  readonly steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[]
}

export interface RemoteEngineIo {
  /** Output of the engine, byte for byte. */
  readonly write: (part: Buffer) => void
  /** What the stand-in itself has to say; one line. */
  readonly say: (line: string) => void
  readonly env: NodeJS.ProcessEnv
}

interface Running extends RemoteProcess {
  readonly mark: string
  readonly port: number
}

const PAUSE_MS = 1_000
const REACH_PAUSE_MS = 5_000
const REACH_WITHIN_MS = 300_000
/** Waiting does not help. */
const REFUSED = /permission denied|host key verification failed|could not resolve|no such identity|bad configuration/i

/**
 * Stands in here for an engine on another machine: lives as long as that one does, writes its log, joins its port to ours, and ends it when
 * told to. A lost link ends nothing: it is made again, and what was written meanwhile is caught up. A stand-in that was killed leaves its
 * engine running; the next one with the same order takes it over.
 */
export class RemoteEngine {
  private readonly link: SshLink
  private readonly machine: RemoteMachine
  private readonly stopping = new AbortController()
  private ended: Promise<number> | undefined
  private now = false

  constructor(
    private readonly order: RemoteEngineOrder,
    private readonly io: RemoteEngineIo,
  ) {
    const { host: name, destination, configFile, options } = order
    this.link = new SshLink({
      name,
      destination,
      options,
      ...(configFile === undefined ? {} : { configFile }),
      env: io.env,
      onChange: (state, reason) => this.linkChanged(state, reason),
    })
    this.machine = new RemoteMachine(this.link)
  }

  /** Resolves with the exit code of the stand-in: 0 after a stop that was asked for, 1 when the engine ended or could not be started. */
  async run(): Promise<number> {
    const running = this.begin()
    const code = await Promise.race([running.then((each) => this.follow(each)), this.stopped(running)]).catch((error: unknown) => {
      this.io.say(isLbError(error) && error.hint !== undefined ? `${messageOf(error)} (${error.hint})` : messageOf(error))
      return 1
    })
    this.link.close()
    return code
  }

  /** Ends the engine; `run` resolves then. `now`: without asking it first. */
  stop(options: { readonly now: boolean }): void {
    this.now ||= options.now
    this.stopping.abort()
  }

  private async begin(): Promise<Running> {
    await this.reached()
    const home = await this.machine.home()
    const paths = { log: `${home}/${this.order.statePath}.log`, run: `${home}/${this.order.statePath}.run` }
    const found = await this.machine.find(paths.run, paths.log)
    const kept = found === undefined ? undefined : this.readNote(found)
    const fits = kept?.hash === this.order.hash && (this.order.port !== undefined || kept.port === this.order.remotePort)
    if (kept !== undefined && fits) {
      this.io.say(`took over the engine that runs on ${this.order.host} already (process ${kept.identity.pid})`)
      return this.join(kept)
    }
    if (kept !== undefined) {
      this.io.say(`ends another engine of this node on ${this.order.host} (process ${kept.identity.pid})`)
      await this.machine.stop(kept.identity, kept.mark, this.order.steps)
    }
    return this.join(await this.spawn(paths))
  }

  /** A host that is away for a while is waited for; one that refuses us is not. */
  private async reached(): Promise<void> {
    const deadlineMs = performance.now() + REACH_WITHIN_MS
    for (;;) {
      try {
        return await this.link.open()
      } catch (error) {
        if (REFUSED.test(messageOf(error)) || performance.now() > deadlineMs || this.stopping.signal.aborted) throw error
        this.io.say(messageOf(error))
        await sleep(REACH_PAUSE_MS)
      }
    }
  }

  private async spawn(paths: { readonly log: string; readonly run: string }): Promise<Running> {
    const { command, args, env, inherited, remotePort: port, mark, hash, host } = this.order
    if ((await this.machine.listening()).has(port)) throw new Error(`address already in use (EADDRINUSE): port ${port} on ${host}`)
    const note = `${port} ${hash} ${mark}`
    const process = await this.machine.spawn({ command, args, env, inherited, logPath: paths.log, runFile: { path: paths.run, note } })
    return { ...process, mark, port }
  }

  private readNote({ note, ...process }: RemoteProcess & { readonly note: string }): (Running & { hash: string }) | undefined {
    const [port = '', hash = '', mark = ''] = note.split(' ')
    // Only what carries a mark of this very node is ours to take or to end.
    const own = mark.slice(0, mark.lastIndexOf('/')) === this.order.mark.slice(0, this.order.mark.lastIndexOf('/'))
    return own && /^\d+$/.test(port) ? { ...process, mark, port: Number(port), hash } : undefined
  }

  private async join(running: Running): Promise<Running> {
    if (this.order.port !== undefined) await this.link.tunnel(this.order.port, running.port)
    return running
  }

  /** Writes the engine's log until it ends, over as many links as that takes. */
  private async follow({ identity, logBytes }: Running): Promise<number> {
    const home = await this.machine.home()
    let fromByte = logBytes
    const watch = { ...identity, logPath: `${home}/${this.order.statePath}.log` }
    while (!this.stopping.signal.aborted) {
      const hasEnded = await this.machine
        .follow({ ...watch, fromByte }, (part) => {
          fromByte += part.byteLength
          this.io.write(part)
        })
        .catch(() => false)
      if (hasEnded) {
        this.io.say(`the engine on ${this.order.host} has ended (process ${identity.pid})`)
        return 1
      }
      await sleep(PAUSE_MS)
    }
    return this.ended ?? 0
  }

  private stopped(running: Promise<Running>): Promise<number> {
    return new Promise((resolve, reject) => {
      this.stopping.signal.addEventListener('abort', () => {
        this.ended = this.end(running)
        this.ended.then(resolve, reject)
      })
    })
  }

  /** Tries until the link stands: an engine that nobody ends holds its GPU. */
  private async end(running: Promise<Running>): Promise<number> {
    const { identity, mark } = await running
    for (;;) {
      try {
        const result = await this.machine.stop(identity, mark, this.now ? [] : this.order.steps)
        this.io.say(`the engine on ${this.order.host} was ended (${result})`)
        return 0
      } catch (error) {
        this.io.say(`cannot end the engine on ${this.order.host} yet: ${messageOf(error)}`)
        await sleep(PAUSE_MS)
      }
    }
  }

  private linkChanged(state: 'up' | 'down', reason: string | null): void {
    this.io.say(
      state === 'up'
        ? `the link to ${this.order.host} stands`
        : `the link to ${this.order.host} is down: ${reason ?? 'unknown'}; the engine runs on`,
    )
  }
}
