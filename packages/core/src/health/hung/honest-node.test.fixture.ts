import { HungWatch, type HungVerdict, type NodeSigns } from './hung-watch.js'
import { WorkTimes } from './work-times.js'

/** One request as a scene sends it. */
export interface SceneRequest {
  readonly atMs: number
  readonly promptTokens: number
  readonly answerTokens: number
  readonly stream: boolean
  /** The client's own limit; without one the answer may be long. */
  readonly maxTokens?: number
  /** The client leaves after so long. */
  readonly leavesAfterMs?: number
}

export interface Machine {
  readonly slots: number
  /** Of a short prompt; long ones take more per token. */
  readonly promptTokenMs: number
  readonly answerTokenMs: number
  /** Usage says what was cached. */
  readonly tellsCached: boolean
}

interface Running extends SceneRequest {
  readonly sentMs: number
  promptLeftMs: number
  written: number
  firstTokenMs: number | undefined
}

/** Attention makes each token of a prompt of so many cost twice as much. */
const DOUBLED_AT_TOKENS = 20_000
const STEP_MS = 250

/**
 * An engine that does honest work, in steps of virtual time: first come, first served into its slots, one prompt after the other, each with its first token, and
 * nothing else is written while a prompt is read. What the watch sees of it is what the balancer believes of a node.
 */
export class HonestNode {
  readonly times = new WorkTimes()
  readonly watch = new HungWatch(this.times)
  nowMs = 0
  frozen = false
  unanswered = 0
  process: NodeSigns['process']
  isOurs = true
  answered = 0
  verdict: HungVerdict = { kind: 'well' }
  private readonly queue: Running[] = []
  private readonly running: Running[] = []
  private lastTokenMs = 0
  private lastProgressMs = 0

  constructor(
    private readonly machine: Machine,
    private readonly limits = { afterMs: 8_000 },
  ) {}

  send(request: SceneRequest): void {
    if (this.inFlight === 0) this.lastProgressMs = this.nowMs
    const { promptTokens } = request
    const promptLeftMs = 20 + promptTokens * this.machine.promptTokenMs * (1 + promptTokens / DOUBLED_AT_TOKENS)
    this.queue.push({ ...request, sentMs: this.nowMs, promptLeftMs, written: 0, firstTokenMs: undefined })
  }

  get inFlight(): number {
    return this.queue.length + this.running.length
  }

  /** Lets time pass; ends early when the node is judged hung. */
  pass(ms: number): HungVerdict {
    for (let passed = 0; passed < ms && this.verdict.kind !== 'hung'; passed += STEP_MS) {
      this.nowMs += STEP_MS
      this.leave()
      if (!this.frozen) this.work(STEP_MS)
      this.verdict = this.watch.look(this.signs, this.limits, this.nowMs)
    }
    return this.verdict
  }

  get signs(): NodeSigns {
    const all = [...this.running, ...this.queue]
    const waiting = all.filter(({ firstTokenMs, stream }) => firstTokenMs === undefined || !stream)
    return {
      id: 'pool/n',
      kin: 'pool/n',
      life: 1,
      inFlight: all.length,
      waiting: waiting.length,
      largestPromptTokens: Math.max(0, ...waiting.map(({ promptTokens }) => promptTokens)),
      silentTokens: Math.max(
        0,
        ...all.filter(({ stream }) => !stream).map(({ answerTokens, maxTokens }) => maxTokens ?? Math.max(1_024, answerTokens)),
      ),
      lastTokenMs: this.lastTokenMs,
      lastProgressMs: Math.max(this.lastTokenMs, this.lastProgressMs),
      lastSignMs: 0,
      unanswered: this.unanswered,
      process: this.process,
      isOurs: this.isOurs,
      onTrial: false,
      isLoading: false,
    }
  }

  private leave(): void {
    for (const list of [this.queue, this.running])
      for (const each of list.slice()) if (this.nowMs - each.sentMs >= (each.leavesAfterMs ?? Infinity)) list.splice(list.indexOf(each), 1)
  }

  private work(ms: number): void {
    let leftMs = ms
    for (;;) {
      while (this.running.length < this.machine.slots && this.queue.length > 0) this.running.push(...this.queue.splice(0, 1))
      const reading = this.running.find(({ promptLeftMs }) => promptLeftMs > 0)
      if (leftMs <= 0 || this.running.length === 0) return
      if (reading !== undefined) {
        const readMs = Math.min(leftMs, reading.promptLeftMs)
        reading.promptLeftMs -= readMs
        leftMs -= readMs
        if (reading.promptLeftMs <= 0) this.write(reading, 1)
        continue
      }
      for (const each of this.running.slice()) this.write(each, leftMs / this.machine.answerTokenMs)
      leftMs = 0
    }
  }

  private write(each: Running, tokens: number): void {
    each.written += tokens
    if (each.stream && each.written >= 1) {
      each.firstTokenMs ??= this.nowMs - each.sentMs
      this.lastTokenMs = this.nowMs
    }
    if (each.written < each.answerTokens) return
    this.running.splice(this.running.indexOf(each), 1)
    this.lastTokenMs = this.nowMs
    this.answered += 1
    this.times.learn({
      node: 'pool/n',
      kin: 'pool/n',
      promptTokens: each.promptTokens,
      cachedTokens: this.machine.tellsCached ? 0 : undefined,
      firstTokenMs: each.firstTokenMs,
      answerTokens: each.answerTokens,
      totalMs: this.nowMs - each.sentMs,
    })
  }
}
