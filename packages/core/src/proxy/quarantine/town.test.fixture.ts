import { FakeClock, seededRandom, type Clock, type TimerHandle } from '../../base/index.js'
import { silentLogger, type RosterNode } from '../../contracts/index.js'
import type { LbError } from '../../errors/index.js'
import { TimerWheel } from '../../wire/index.js'
import type { Admitted } from '../admit.js'
import type { AttemptEnd } from '../forward.js'
import { QuarantineDesk } from './desk.js'
import type { Guard, Guarded } from './guard.js'
import type { LifeEnd } from './inquests.js'
import { QuarantineOffice } from './office.js'
import type { Sentence } from './words.js'

export interface TownOptions {
  readonly seed: number
  readonly nodes: number
  /** Data paths. */
  readonly desks: number
  /** How a process that ends by itself is judged. */
  readonly crash?: LifeEnd
  /** Tries that a request has. */
  readonly tries?: number
  readonly weather?: Partial<Weather>
}

/** How long what takes a moment on a quiet machine may take; each time another while. */
export interface Weather {
  /** A word from thread to thread. */
  readonly wordMs: number
  /** Until a thread hears that a connection broke. */
  readonly breakMs: number
  /** Until the main thread hears that a process ended. */
  readonly endMs: number
  /** Each thread does something else from the moment on in which a node ends. */
  readonly busyMs: number
  /** What is deadly takes so much longer at one node than at another. */
  readonly unsteadyMs: number
}

const FAIR: Weather = { wordMs: 2, breakMs: 3, endMs: 8, busyMs: 0, unsteadyMs: 0 }

export interface Citizen {
  readonly body: string
  /** After so long at a node it ends it; absent: it is harmless. */
  readonly deadlyAfterMs?: number
  readonly serviceMs: number
  /** First content comes after so long; absent: with the whole answer. */
  readonly contentAfterMs?: number
}

interface Server {
  readonly id: string
  life: number
  isUp: boolean
  readonly walks: Set<Walk>
  /** As the threads count: a walk that has broken is there until its thread has noticed. */
  inFlight: number
}

const RESTART_MS = 500
const AFTER_TIMERS_MS = 0.01

/** Nodes that crash, requests that move, data paths and their office, in virtual time: real desks and guards, words that take a while. */
export class Town {
  readonly clock = new FakeClock()
  readonly sentences: Sentence[] = []
  readonly walks: Walk[] = []
  lost = 0
  readonly random: () => number
  readonly servers: Server[]
  readonly desks: QuarantineDesk[]
  readonly office: QuarantineOffice
  readonly threads: readonly Thread[]
  readonly weather: Weather
  private readonly main: Thread
  private readonly lines = new Map<string, number>()

  constructor(readonly options: TownOptions) {
    const { clock } = this
    const source = seededRandom(options.seed)
    this.random = () => source.next()
    this.weather = { ...FAIR, ...(options.crash === 'unknown' ? { endMs: 400 } : {}), ...options.weather }
    this.main = new Thread(clock)
    this.threads = Array.from({ length: options.desks }, () => new Thread(clock))
    this.office = new QuarantineOffice({
      clock: this.main,
      log: silentLogger,
      tell: (desk, word) => this.later(`to ${desk}`, this.threads[desk], () => this.desks[desk]?.hear(word)),
      tellAll: (word) => this.desks.forEach((desk, index) => this.later(`to ${index}`, this.threads[index], () => desk.hear(word))),
      desks: () => this.desks.map((_, index) => index),
      inFlightAt: (id) => this.servers.find((server) => server.id === id)?.inFlight ?? 0,
      isOurs: () => options.crash !== 'unknown',
      onSentence: (sentence) => void this.sentences.push(sentence),
    })
    this.desks = this.threads.map(
      (thread, index) =>
        new QuarantineDesk({
          clock: thread,
          wheel: new TimerWheel(thread),
          salt: Buffer.from('salt'),
          tell: (word) => this.later(`from ${index}`, this.main, () => this.office.hear(index, word)),
        }),
    )
    this.servers = Array.from({ length: options.nodes }, (_, index) => ({
      id: `p/n${index}`,
      life: 1,
      isUp: true,
      walks: new Set<Walk>(),
      inFlight: 0,
    }))
  }

  /** As between threads: each word takes a while, none overtakes another. */
  private later(line: string, thread: Thread | undefined, act: () => void): void {
    const { clock, lines, weather } = this
    const atMs = Math.max(lines.get(line) ?? 0, clock.nowMs() + weather.wordMs * this.random())
    lines.set(line, atMs)
    thread?.hears(atMs - clock.nowMs(), act)
  }

  /** One request comes. */
  send(citizen: Citizen): Walk {
    const index = Math.floor(this.random() * this.desks.length)
    const walk = new Walk(this, citizen, { desk: this.desks[index] as QuarantineDesk, thread: this.threads[index] as Thread })
    this.walks.push(walk)
    walk.start()
    return walk
  }

  /** The process is gone: its connections break, and a little later its end is heard of. */
  end(server: Server, how: LifeEnd): void {
    if (!server.isUp) return
    const life = lifeOf(server)
    server.isUp = false
    server.life += 1
    if (how !== 'killed') this.lost += 1
    const { breakMs, endMs, busyMs } = this.weather
    if (busyMs > 0) for (const thread of [this.main, ...this.threads]) thread.isBusyFor(busyMs * this.random())
    for (const walk of server.walks) walk.thread.hears(breakMs * this.random(), () => walk.broke(life))
    server.walks.clear()
    this.main.hears(endMs * this.random(), () => this.office.ended(life, server.id, how))
    this.clock.after(RESTART_MS, () => (server.isUp = true))
  }

  crash(server: Server): void {
    this.end(server, this.options.crash ?? 'crash')
  }

  /** Time goes by until nobody is on the way any more. */
  settle(): void {
    for (let turn = 0; turn < 3_000 && this.walks.some(({ fate }) => fate === 'underway'); turn++) this.clock.advance(10)
  }
}

/** A thread of JavaScript: what it hears while it is busy waits until it is done, and its timers come before that. */
class Thread implements Clock {
  private busyUntilMs = 0
  private inbox: (() => void)[] = []

  constructor(private readonly clock: FakeClock) {}

  nowMs(): number {
    return this.clock.nowMs()
  }

  epochMs(): number {
    return this.clock.epochMs()
  }

  after(delayMs: number, act: () => void): TimerHandle {
    let timer = this.clock.after(delayMs, () => {
      if (this.busyForMs > 0) timer = this.clock.after(this.busyForMs, act)
      else act()
    })
    return { cancel: () => timer.cancel() }
  }

  hears(delayMs: number, act: () => void): void {
    this.clock.after(delayMs, () => {
      this.inbox.push(act)
      this.read()
    })
  }

  isBusyFor(ms: number): void {
    this.busyUntilMs = Math.max(this.busyUntilMs, this.clock.nowMs() + ms)
  }

  private get busyForMs(): number {
    return this.busyUntilMs - this.clock.nowMs()
  }

  private read(): void {
    if (this.busyForMs > 0) return void this.clock.after(this.busyForMs + AFTER_TIMERS_MS, () => this.read())
    const { inbox } = this
    this.inbox = []
    for (const act of inbox) act()
  }
}

export class Walk implements Guarded {
  fate: 'underway' | 'answered' | 'failed' | LbError = 'underway'
  tries = 0
  /** Longest time between two tries. */
  heldMs = 0
  private server: Server | undefined
  private sentAtMs = 0
  private waitsSinceMs = 0
  /** Pieces that the client has had. */
  private pieces = 0
  private guard: Guard | undefined
  private readonly tried = new Set<string>()
  readonly thread: Thread
  private readonly desk: QuarantineDesk
  private readonly request: Admitted

  constructor(
    private readonly town: Town,
    readonly citizen: Citizen,
    path: { readonly desk: QuarantineDesk; readonly thread: Thread },
  ) {
    this.desk = path.desk
    this.thread = path.thread
    const body = Buffer.from(citizen.body)
    this.request = {
      face: 'openai-chat',
      scan: { body },
      pool: { name: 'p' },
      exchange: { onGone: () => undefined },
    } as unknown as Admitted
  }

  start(): void {
    this.waitsSinceMs = this.town.clock.nowMs()
    this.guard = this.desk.guardOf(this.request)
    this.again()
  }

  candidates(): readonly string[] {
    return this.open().map(({ id }) => id)
  }

  again(): void {
    if (this.guard?.holds(this) === true) return
    if (this.tries >= (this.town.options.tries ?? 3)) return void (this.fate = 'failed')
    const open = this.open()
    const server = open.find(({ id }) => id === this.guard?.only) ?? open[Math.floor(this.town.random() * open.length)]
    // As the line of a pool does: it waits until there is a node.
    if (server === undefined) return void this.town.clock.after(20, () => this.again())
    this.at(server)
  }

  stopped(error: LbError): void {
    this.fate = error
  }

  broke(life: string): void {
    const { server, guard, pieces } = this
    if (server === undefined || this.fate !== 'underway') return
    this.server = undefined
    server.inFlight -= 1
    this.waitsSinceMs = this.town.clock.nowMs()
    this.told(guard, server, life, { outcome: 'reset', contentEvents: pieces })
    this.town.clock.after(0, () => this.again())
  }

  private open(): Server[] {
    return this.town.servers.filter(({ isUp, id }) => isUp && !this.tried.has(id))
  }

  private at(server: Server): void {
    const { clock } = this.town
    const { deadlyAfterMs, serviceMs, contentAfterMs } = this.citizen
    this.heldMs = Math.max(this.heldMs, clock.nowMs() - this.waitsSinceMs)
    this.server = server
    this.sentAtMs = clock.nowMs()
    this.tries += 1
    this.tried.add(server.id)
    server.walks.add(this)
    server.inFlight += 1
    const life = lifeOf(server)
    const ifThere = (act: () => void) => () => {
      if (this.server === server && lifeOf(server) === life) act()
    }
    if (contentAfterMs !== undefined)
      clock.after(
        contentAfterMs,
        ifThere(() => this.content()),
      )
    if (deadlyAfterMs !== undefined)
      return void clock.after(
        deadlyAfterMs + this.town.weather.unsteadyMs * this.town.random(),
        ifThere(() => this.town.crash(server)),
      )
    clock.after(
      serviceMs,
      ifThere(() => this.answered(server, life)),
    )
  }

  private content(): void {
    this.pieces += 1
    this.guard?.onContent()
  }

  private answered(server: Server, life: string): void {
    server.walks.delete(this)
    server.inFlight -= 1
    this.fate = 'answered'
    this.content()
    this.told(this.guard, server, life, { outcome: 'answered', contentEvents: this.pieces })
  }

  private told(guard: Guard | undefined, { id }: Server, connectionKey: string, end: Pick<AttemptEnd, 'outcome' | 'contentEvents'>): void {
    const node = { id, connectionKey } as RosterNode
    const atNodeMs = this.town.clock.nowMs() - this.sentAtMs
    this.guard = this.desk.after(guard, this.request, { node, atNodeMs, end: end as AttemptEnd })
  }
}

function lifeOf({ id, life }: Server): string {
  return `${id}#${life}`
}
