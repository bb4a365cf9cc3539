/**
 * Simulated engines as processes of their own, that lb and its peers are all put in front of: started, killed, stopped and started again by the
 * harness, so that everybody meets the same faults. What a process has computed is read before it is killed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { repository, until } from '../e2e/house.js'
import { quietPort } from './ports.js'

const main = join(repository, 'packages/plugin-sim/bin/lb-sim-engine.js')

/** What engines have done, dead ones included. */
export interface Work {
  /** Requests that were begun. */
  readonly requests: number
  readonly tokens: number
}

export class SimProcess {
  private child: ChildProcess | undefined
  private port = 0
  private done: Work = { requests: 0, tokens: 0 }
  /** One start or end after the other, however slow the machine is. */
  private turn: Promise<void> = Promise.resolve()

  constructor(
    readonly name: string,
    private readonly flags: readonly string[],
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Neither killed by us nor ended by itself. */
  get isAlive(): boolean {
    const { child } = this
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** On the port that it had before, where it had one. */
  start(): Promise<void> {
    return this.inTurn(() => this.launch())
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.inTurn(() => this.end())
  }

  private inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.turn.then(act)
    this.turn = done.catch(() => undefined)
    return done
  }

  private async launch(): Promise<void> {
    const wanted = this.port === 0 ? await quietPort() : this.port
    const args = ['--port', String(wanted), ...this.flags]
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (said += text))
    const address = (): RegExpExecArray | null => /on http:\/\/127\.0\.0\.1:(\d+)/u.exec(said)
    await until(() => address() !== null || !this.isAlive, 60_000)
    const port = Number(address()?.[1])
    if (!(port > 0)) throw new Error(`the simulated engine ${this.name} did not start: ${said}`)
    this.port = port
  }

  /** Switches a fault of the simulated engine; null clears it. */
  async fault(fault: string | null): Promise<void> {
    const answer = await fetch(`${this.url}/sim/faults`, { method: 'POST', body: JSON.stringify({ fault }) })
    if (!answer.ok) throw new Error(`the fault ${fault} was refused: ${await answer.text()}`)
  }

  private async end(): Promise<void> {
    const { child } = this
    if (child === undefined) return
    this.done = await this.work()
    this.child = undefined
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  stop(): void {
    this.child?.kill('SIGSTOP')
  }

  resume(): void {
    this.child?.kill('SIGCONT')
  }

  /** Also of the processes before this one. What a stopped process did cannot be asked. */
  async work(): Promise<Work> {
    if (this.child === undefined) return this.done
    const [state, metrics] = await Promise.all([this.get('/sim/state'), this.get('/metrics')])
    const { received } = JSON.parse(state) as { received: number }
    return { requests: this.done.requests + received, tokens: this.done.tokens + sample(metrics, 'generation_tokens_total') }
  }

  /** Requests inside, running and queued. */
  async inside(): Promise<number> {
    const metrics = await this.get('/metrics')
    return sample(metrics, 'num_requests_running') + sample(metrics, 'num_requests_waiting')
  }

  /** Whatever it is at. */
  close(): Promise<void> {
    return this.inTurn(async () => {
      const { child, isAlive } = this
      this.child = undefined
      if (child === undefined || !isAlive) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    })
  }

  private async get(path: string): Promise<string> {
    const answer = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(20_000) })
    return answer.text()
  }
}

function sample(metrics: string, name: string): number {
  return Number(new RegExp(`^vllm:${name}\\{.*\\} (\\S+)`, 'mu').exec(metrics)?.[1] ?? Number.NaN)
}

export interface FleetOptions {
  /** 4 where nothing is said. */
  readonly count?: number
  /** Of lb-sim-engine, such as `--profile 8b-h100`. */
  readonly flags?: readonly string[]
}

/** Engines with one seed: each gives the same answer to the same conversation. */
export class Fleet {
  private constructor(readonly engines: readonly SimProcess[]) {}

  static start({ count = 4, flags = ['--profile', '8b-h100'] }: FleetOptions = {}): Promise<Fleet> {
    return Fleet.startEach(Array.from({ length: count }, () => flags))
  }

  /** Each with flags of its own. */
  static async startEach(flags: readonly (readonly string[])[]): Promise<Fleet> {
    const fleet = new Fleet(flags.map((own, index) => new SimProcess(`n${index}`, own)))
    await Promise.all(fleet.engines.map((engine) => engine.start()))
    return fleet
  }

  at(index: number): SimProcess {
    const engine = this.engines[index]
    if (engine === undefined) throw new RangeError(`there is no engine ${index}`)
    return engine
  }

  get urls(): string[] {
    return this.engines.map(({ url }) => url)
  }

  async work(): Promise<Work> {
    const all = await Promise.all(this.engines.map((engine) => engine.work()))
    return all.reduce((sum, one) => ({ requests: sum.requests + one.requests, tokens: sum.tokens + one.tokens }))
  }

  async close(): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.close()))
  }
}
