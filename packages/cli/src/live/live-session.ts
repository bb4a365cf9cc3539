import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, type BalancerEvent, type BalancerStatus } from '@plimsoll/core'
import { safeEvent, safeStatus } from '../views/board/index.js'
import { sanitize } from '../views/sanitize.js'
import { pressKey, type Effect, type KeyPress } from './keymap.js'
import type { LiveClient, LiveEnd, LiveMode } from './live-client.js'
import { readLogTail } from './log-tail.js'
import { readWhy } from './read-why.js'
import { isBusy, PACE, shownTime, type Pace } from './pace.js'
import { initialView, withSelection, type ViewState } from './view-state.js'
import { within } from './within.js'

export interface SessionOptions {
  readonly client: LiveClient
  readonly mode: LiveMode
  readonly curl: string
  readonly now?: () => number
  readonly pace?: Partial<Pace>
}

const MAX_EVENTS = 200
const TAIL_LINES = 200
/** A first frame without nodes is better than none. */
const FIRST_FRAME_MS = 300

/** Keeps the view's state true: polls, follows events, carries out keys. It knows nothing of how it is drawn. */
export class LiveSession {
  readonly ended: Promise<LiveEnd>
  readonly #client: LiveClient
  readonly #now: () => number
  readonly #pace: Pace
  readonly #life = new AbortController()
  readonly #listeners = new Set<() => void>()
  readonly #resolveEnd: (end: LiveEnd) => void
  #state: ViewState
  #lastAnswer = ''
  #lastAnswerMs: number
  #settling: NodeJS.Timeout | undefined

  constructor({ client, mode, curl, now = Date.now, pace = {} }: SessionOptions) {
    this.#client = client
    this.#now = now
    this.#pace = { ...PACE, ...pace }
    this.#lastAnswerMs = now()
    this.#state = initialView(mode, sanitize(curl), shownTime(now()))
    const { promise, resolve } = Promise.withResolvers<LiveEnd>()
    this.ended = promise
    this.#resolveEnd = resolve
  }

  /** Asks once before the first frame, so that the first frame already shows nodes; then goes on by itself until the end. */
  async start(): Promise<void> {
    await Promise.race([this.#poll(), this.#pause(FIRST_FRAME_MS)])
    void this.#pollAgain()
    void this.#followEvents()
  }

  end(how: LiveEnd): void {
    this.#life.abort()
    clearTimeout(this.#settling)
    this.#resolveEnd(how)
  }

  readonly state = (): ViewState => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly press = (input: string, key: KeyPress): void => {
    const { state, effect } = pressKey(this.#state, input, key)
    this.#state = state
    if (effect !== undefined) this.#carryOut(effect)
    this.#draw()
  }

  #carryOut(effect: Effect): void {
    if (effect.kind === 'leave') return this.end('leave')
    if (effect.kind === 'tail') return void this.#tail()
    if (effect.kind === 'why') return void this.#why()
    void this.#ask(effect)
  }

  async #ask(effect: Exclude<Effect, { kind: 'leave' | 'tail' | 'why' }>): Promise<void> {
    const verb = effect.kind === 'rollout' ? effect.verb : effect.kind
    const subject = effect.kind === 'rollout' ? `rollout ${effect.pool}` : effect.kind === 'stop' ? '' : effect.nodeId
    try {
      if (effect.kind === 'stop') await this.#client.stop(effect.force ? { force: true } : {})
      else if (effect.kind === 'rollout') await this.#client.actOnRollout(effect.pool, effect.verb)
      else await this.#client[effect.kind](effect.nodeId)
      if (effect.kind !== 'stop') this.#change({ notice: { text: `${subject}: ${verb} asked for`, tone: 'good' } })
    } catch (error) {
      this.#change({ notice: { text: sanitize(`${verb} was refused: ${messageOf(error)}`), tone: 'bad' } })
    }
    await this.#poll()
  }

  async #pollAgain(): Promise<void> {
    while (await this.#pause(isBusy(this.#state) ? this.#pace.busyMs : this.#pace.restMs)) {
      await this.#poll()
      if (this.#state.pane === 'logs') await this.#tail()
      if (this.#state.pane === 'why') await this.#why()
    }
  }

  async #poll(): Promise<void> {
    try {
      this.#take(await within(this.#client.status(), this.#pace.answerMs))
    } catch (error) {
      if (this.#wasStopping()) return this.end('stop')
      if (this.#state.lost === undefined) this.#change({ lost: { sinceMs: this.#lastAnswerMs, reason: sanitize(messageOf(error)) } })
    }
  }

  /** Silence is the expected end when it was asked to stop, here or, for `lb up`, by anyone else. */
  #wasStopping(): boolean {
    const { mode, stopping, status } = this.#state
    return stopping !== 'no' || (mode === 'up' && status?.state === 'draining')
  }

  #take(status: BalancerStatus): void {
    this.#lastAnswerMs = this.#now()
    const nowMs = shownTime(this.#lastAnswerMs, status)
    const answer = JSON.stringify(status)
    if (answer === this.#lastAnswer && this.#state.lost === undefined && this.#state.nowMs === nowMs) return
    this.#lastAnswer = answer
    const { lost: _over, ...rest } = this.#state
    this.#state = withSelection({ ...rest, status: safeStatus(status), nowMs })
    this.#drawSoon()
  }

  async #followEvents(): Promise<void> {
    do {
      // Each stream begins with the recent past, so what an earlier stream brought would stand there twice.
      let events: BalancerEvent[] = []
      const take = (event: BalancerEvent): void => {
        events = [safeEvent(event), ...events].slice(0, MAX_EVENTS)
        this.#change({ events })
      }
      await this.#client.events(take, this.#life.signal).catch(() => undefined)
    } while (await this.#pause(this.#pace.restMs))
  }

  async #tail(): Promise<void> {
    const nodeId = this.#state.selected
    if (nodeId === undefined) return
    const log = await readLogTail(nodeId, this.#client.logPath(nodeId), TAIL_LINES)
    if (JSON.stringify(log) !== JSON.stringify(this.#state.log)) this.#change({ log })
  }

  async #why(): Promise<void> {
    const nodeId = this.#state.selected
    if (nodeId === undefined) return
    const why = await readWhy(nodeId, this.#client)
    if (JSON.stringify(why) !== JSON.stringify(this.#state.why)) this.#change({ why })
  }

  /** False when the session ended meanwhile. */
  async #pause(ms: number): Promise<boolean> {
    await sleep(ms, undefined, { signal: this.#life.signal }).catch(() => undefined)
    return !this.#life.signal.aborted
  }

  #change(part: Partial<ViewState>): void {
    this.#state = { ...this.#state, ...part }
    this.#drawSoon()
  }

  #drawSoon(): void {
    if (this.#settling !== undefined || this.#life.signal.aborted) return
    this.#settling = setTimeout(() => this.#draw(), this.#pace.settleMs)
  }

  #draw(): void {
    clearTimeout(this.#settling)
    this.#settling = undefined
    for (const listener of this.#listeners) listener()
  }
}
