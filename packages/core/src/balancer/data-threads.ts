import { Worker } from 'node:worker_threads'
import type { Clock, TimerHandle } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { Belief } from '../insight/index.js'
import type { Fleet } from '../nodes/index.js'
import type { OfficeWord, QuarantineOffice } from '../proxy/index.js'
import type { Topology } from '../topology/index.js'
import type { SocketCount } from '../wire/index.js'
import type { DataPathParts } from './data-path.js'
import type { Listenable } from './listeners.js'
import { messageOfRoster } from './roster-message.js'
import type { SharedBelief } from './shared-belief.js'
import type { SharedSocket } from './shared-socket.js'
import type { Standing } from './standing.js'
import type { StrategyReport } from './strategy-reports.js'
import { heardBy } from './thread-echo.js'
import type { FromThread, RosterMessage, ThreadBirth, ToThread } from './thread-messages.js'
import { ThreadSockets } from './thread-sockets.js'
import { untilListening } from './until-listening.js'

/** How the data path is spread over threads. */
export interface ThreadsOptions {
  readonly count: number
  /** Engine name to the URL of its plugin module. */
  readonly engineModules: Readonly<Record<string, string>>
  /** Strategy name to the URL of its module, for those of plugins; default: none. */
  readonly strategyModules?: Readonly<Record<string, string>>
  /** A thread that does not listen by then is ended; default 30,000. */
  readonly startWithinMs?: number
}

type Told = Pick<DataPathParts, 'onSettled' | 'onSentBack' | 'onDecision' | 'onOutcomes' | 'onShadow' | 'onLine' | 'onHotPrompt'>

export interface DataThreadsOptions extends ThreadsOptions, Told {
  readonly clock: Clock
  readonly log: Logger
  readonly fleet: Fleet
  readonly belief: Belief
  readonly sockets: SocketCount
  readonly shared: SharedBelief
  readonly topology: Topology
  readonly salt: Uint8Array
  readonly startedAtMs: number
  readonly metrics: () => { readonly contentType: string; readonly text: string }
  readonly office: QuarantineOffice
  /** No duplicate of a listening socket is left for a new thread. */
  readonly onBroken: () => void
}

interface Slot {
  readonly thread: number
  worker: Worker
  standing: Standing
  strategyReports: readonly StrategyReport[]
}

const MANY_NODES = 64
const GATHER_MS = 100
const RESTART_MS = 100
const CLOSE_MS = 2_000
const START_WITHIN_MS = 30_000

/** The data threads, seen from the main one: tells them the roster, takes their outcomes, replaces the dead. */
export class DataThreads {
  private readonly slots: Slot[] = []
  private readonly sockets = new ThreadSockets()
  private topology: Topology
  private closing: string | undefined
  private stopped = false
  private gathering: TimerHandle | undefined

  constructor(private readonly options: DataThreadsOptions) {
    this.topology = options.topology
    options.shared.use(() => this.slots)
    options.fleet.events.on('roster', () => this.showRoster())
  }

  /** Numbers of those that run. */
  get ids(): readonly number[] {
    return this.slots.map(({ thread }) => thread)
  }

  /** What stands still in each; as the threads told last. */
  standings(): readonly Standing[] {
    return this.slots.map(({ standing }) => standing)
  }

  /** As the threads told last, one list for each. */
  strategyReports(): readonly (readonly StrategyReport[])[] {
    return this.slots.map((slot) => slot.strategyReports)
  }

  /** Takes the listening sockets and starts the threads on them; resolves when all listen. Rejects, with none left, when one cannot. */
  async open(sockets: readonly SharedSocket[], paths: readonly string[]): Promise<void> {
    this.sockets.add(sockets, paths)
    try {
      await Promise.all(Array.from({ length: this.options.count }, (_, index) => this.start(index + 1)))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  use(topology: Topology): void {
    this.members(topology, 'topology')
    this.showRoster()
  }

  /** The nodes of the same declaration are others now; `steered`: how requests go to them is, too. */
  members(topology: Topology, type: 'members' | 'steered' | 'topology' = 'members'): void {
    this.topology = topology
    this.tellAll({ type, topology })
  }

  /** The office of the quarantine says something to one thread, or to all. */
  quarantine(word: OfficeWord, thread?: number): void {
    for (const slot of this.slots)
      if (thread === undefined || slot.thread === thread) slot.worker.postMessage({ type: 'quarantine', word } satisfies ToThread)
  }

  /** Resolves once all of them know the roster of now: whoever drains gets no more requests from then on. */
  heard(): Promise<void> {
    this.tellRoster()
    return heardBy(this.slots.map(({ worker }) => worker))
  }

  /** New requests are refused with this reason. */
  refuse(reason: string): void {
    this.closing = reason
    this.tellAll({ type: 'closing', reason })
  }

  stopAccepting(): void {
    this.tellAll({ type: 'stop-accepting' })
  }

  /** Cuts every connection, takes the last outcomes and ends the threads. */
  async close(): Promise<void> {
    this.stopped = true
    this.gathering?.cancel()
    await Promise.all(this.slots.map((slot) => this.end(slot.worker)))
  }

  private async end(worker: Worker): Promise<void> {
    const cut = new Promise<void>((resolve) => {
      worker.on('message', (message: FromThread) => message.type === 'cut' && resolve())
      worker.on('exit', () => resolve())
      this.options.clock.after(CLOSE_MS, resolve)
    })
    worker.postMessage({ type: 'cut-all' } satisfies ToThread)
    await cut
    await worker.terminate()
  }

  /** Rejects when the thread ends before it listens everywhere. */
  private async start(thread: number): Promise<void> {
    const listen = this.sockets.take(thread)
    if (listen === undefined) {
      this.options.log.error('thread.no_socket_left', { thread })
      this.options.onBroken()
      return
    }
    const worker = new Worker(new URL('./data-thread.js', import.meta.url), {
      workerData: this.birth(thread, listen),
      name: `lb-data-${thread}`,
    })
    const slot: Slot = { thread, worker, standing: { inLine: new Map(), budgets: new Map() }, strategyReports: [] }
    this.slots.push(slot)
    this.options.shared.greet(worker)
    worker.postMessage({ type: 'quarantine', word: this.options.office.snapshot() } satisfies ToThread)
    worker.on('message', (message: FromThread) => this.take(slot, message))
    worker.on('error', (error) => {
      this.options.log.error('thread.died', { thread, error: messageOf(error), stack: error instanceof Error ? error.stack : undefined })
    })
    worker.on('exit', () => this.ended(slot))
    if (listen.length === 0) return
    const { clock, log, startWithinMs: withinMs = START_WITHIN_MS } = this.options
    await untilListening(worker, { thread, sockets: listen.length, withinMs, clock, log })
  }

  private birth(thread: number, listen: readonly Listenable[]): ThreadBirth {
    const { engineModules, strategyModules = {}, belief, sockets, salt, startedAtMs, clock } = this.options
    return {
      topology: this.topology,
      engineModules,
      strategyModules,
      leases: belief.buffer,
      sockets: { buffer: sockets.buffer, room: sockets.room },
      thread,
      salt,
      startedAtMs,
      clocks: { nowMs: clock.nowMs(), epochMs: clock.epochMs() },
      roster: this.rosterMessage(),
      listen,
    }
  }

  /** What the dead one had in flight is lost; its claims are not. */
  private ended(slot: Slot): void {
    this.slots.splice(this.slots.indexOf(slot), 1)
    this.options.shared.died(slot.thread)
    this.options.sockets.clearThread(slot.thread)
    this.options.office.deskGone(slot.thread)
    if (this.stopped) return
    this.options.log.warn('thread.restarting', { thread: slot.thread })
    this.options.clock.after(RESTART_MS, () => {
      if (this.stopped) return
      this.start(slot.thread).catch(() => undefined)
      if (this.closing !== undefined) this.refuse(this.closing)
    })
  }

  private take(slot: Slot, message: FromThread): void {
    switch (message.type) {
      case 'settled':
        return this.options.onSettled(message.records)
      case 'sent-back':
        return this.options.onSentBack(message.record)
      case 'decision':
        return this.options.onDecision(message.decision)
      case 'outcomes':
        return this.options.onOutcomes(message.outcomes)
      case 'quarantine':
        return this.options.office.hear(slot.thread, message.word)
      case 'belief':
        return this.options.shared.heard(slot.thread, message.news)
      case 'shadow':
        return this.options.onShadow(message.pair)
      case 'hot-prompt':
        return this.options.onHotPrompt?.(message.kept)
      case 'standing':
        slot.standing = message.standing
        return this.options.onLine()
      case 'strategy-reports':
        return void (slot.strategyReports = message.reports)
      case 'log':
        return this.options.log[message.level](message.event, message.facts)
      case 'metrics':
        return slot.worker.postMessage({ type: 'metrics', id: message.id, ...this.options.metrics() } satisfies ToThread)
      default:
    }
  }

  /** A roster crosses whole; one of many nodes, which change one after the other, is told a few times a second and not at each change. */
  private showRoster(): void {
    if (this.gathering !== undefined) return
    if (this.options.fleet.current().nodes.length <= MANY_NODES) return this.tellRoster()
    this.gathering = this.options.clock.after(GATHER_MS, () => {
      this.gathering = undefined
      this.tellRoster()
    })
  }

  private tellRoster(): void {
    if (this.slots.length > 0 && !this.stopped) this.tellAll({ type: 'roster', roster: this.rosterMessage() })
  }

  private rosterMessage(): RosterMessage {
    return messageOfRoster(this.options.fleet.current(), this.topology)
  }

  private tellAll(message: ToThread): void {
    for (const { worker } of this.slots) worker.postMessage(message)
  }
}
