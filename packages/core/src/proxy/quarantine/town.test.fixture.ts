import { FakeClock, seededRandom } from '../../base/index.js'
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
}

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
}

const RESTART_MS = 500

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

  constructor(readonly options: TownOptions) {
    const { clock } = this
    const source = seededRandom(options.seed)
    this.random = () => source.next()
    // As between threads: each word takes a while, none overtakes another.
    const lines = new Map<string, number>()
    const later = (line: string, act: () => void): void => {
      const atMs = Math.max(lines.get(line) ?? 0, clock.nowMs() + 2 * this.random())
      lines.set(line, atMs)
      clock.after(atMs - clock.nowMs(), act)
    }
    this.office = new QuarantineOffice({
      clock,
      log: silentLogger,
      tell: (desk, word) => later(`to ${desk}`, () => this.desks[desk]?.hear(word)),
      tellAll: (word) => this.desks.forEach((desk, index) => later(`to ${index}`, () => desk.hear(word))),
      desks: () => this.desks.map((_, index) => index),
      isOurs: () => options.crash !== 'unknown',
      onSentence: (sentence) => void this.sentences.push(sentence),
    })
    const wheel = new TimerWheel(clock)
    this.desks = Array.from(
      { length: options.desks },
      (_, index) =>
        new QuarantineDesk({
          clock,
          wheel,
          salt: Buffer.from('salt'),
          tell: (word) => later(`from ${index}`, () => this.office.hear(index, word)),
        }),
    )
    this.servers = Array.from({ length: options.nodes }, (_, index) => ({ id: `p/n${index}`, life: 1, isUp: true, walks: new Set<Walk>() }))
  }

  /** One request comes. */
  send(citizen: Citizen): Walk {
    const walk = new Walk(this, citizen, this.desks[Math.floor(this.random() * this.desks.length)] as QuarantineDesk)
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
    for (const walk of server.walks) this.clock.after(3 * this.random(), () => walk.broke(life))
    server.walks.clear()
    this.clock.after(how === 'unknown' ? 400 * this.random() : 8 * this.random(), () => this.office.ended(life, server.id, how))
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
  private readonly request: Admitted

  constructor(
    private readonly town: Town,
    readonly citizen: Citizen,
    private readonly desk: QuarantineDesk,
  ) {
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
        deadlyAfterMs,
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
