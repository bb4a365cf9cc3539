import type { Clock } from '../base/index.js'
import type { NodeOutcome } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { inWords } from './in-words.js'
import type { Charge, JudgedNode, NodeFile } from './node-file.js'

export interface ComebackOptions {
  readonly clock: Clock
  /** Requests in flight at a node, over all threads. */
  readonly inFlight: (node: JudgedNode) => number
  /** Asks an ejected node in the place of a client, where its pool wants that: resolves with what is wrong, undefined when it is well. */
  readonly canary?: (nodeId: string) => Promise<string | undefined> | undefined
}

export interface ComebackJudge {
  takeOut(file: NodeFile, charge: Charge): void
  /** Its pace of before says nothing about its trial. */
  measureAnew(file: NodeFile): void
}

const TRIAL_LOOK_MS = 250
/** A trial for slowness ends after so many requests although nothing could be measured. */
const UNMEASURED_SERVED = 20
const SLOW_START_STEPS = 10
const ON_TRIAL = 'on trial: one request at a time shows whether it is well again'

/** The way back of nodes that were taken out: a word with the engine, a trial with single requests, then a share that grows. */
export class Comeback {
  private stopped = false

  constructor(
    private readonly options: ComebackOptions,
    private readonly judge: ComebackJudge,
  ) {}

  /** Begins when the time of a node that was just taken out is over. */
  after(file: NodeFile, forMs: number): void {
    file.timer = this.options.clock.after(forMs, () => void this.timeIsOver(file))
  }

  stop(): void {
    this.stopped = true
  }

  /** All is well as far as can be told: its share of requests grows. */
  slowStart(file: NodeFile): void {
    const { slowStartMs } = file.node.plan.pool.health
    file.hasFailed = false
    file.enter('slow-start', this.nowMs)
    file.faults.clear()
    this.admit(file, { slowStartMs, step: slowStartMs === 0 ? SLOW_START_STEPS : 1 })
  }

  private admit(file: NodeFile, { slowStartMs, step }: { readonly slowStartMs: number; readonly step: number }): void {
    if (step >= SLOW_START_STEPS) {
      file.enter('in', this.nowMs)
      return file.node.admit({})
    }
    const note = `back after a failure: its share of requests grows for ${inWords(slowStartMs)}`
    file.timer = this.options.clock.after(slowStartMs / SLOW_START_STEPS, () => this.admit(file, { slowStartMs, step: step + 1 }))
    file.node.admit({ admission: step / SLOW_START_STEPS, note })
  }

  private get nowMs(): number {
    return this.options.clock.nowMs()
  }

  private async timeIsOver(file: NodeFile): Promise<void> {
    const { sinceMs } = file
    const wrong = await this.askCanary(file)
    if (file.place !== 'out' || file.sinceMs !== sinceMs || this.stopped) return
    if (typeof wrong === 'string') return this.judge.takeOut(file, { kind: file.kind, why: `still not well: ${wrong}` })
    // One token says that it answers, not how fast.
    if (wrong === null || file.kind === 'slow') return this.beginTrial(file)
    file.enter('in', this.nowMs)
    file.node.readmit()
  }

  /** What is wrong; undefined: nothing. Null: nobody was asked. */
  private async askCanary(file: NodeFile): Promise<string | undefined | null> {
    try {
      const asked = this.options.canary?.(file.node.id)
      return asked === undefined ? null : await asked
    } catch (error) {
      return messageOf(error)
    }
  }

  private beginTrial(file: NodeFile): void {
    file.enter('trial', this.nowMs)
    this.judge.measureAnew(file)
    file.node.readmit({ trial: this.options.inFlight(file.node), note: ON_TRIAL })
    // Its probes would not have it yet.
    if (file.node.state !== 'ready') return file.enter('in', this.nowMs)
    this.lookLater(file)
  }

  private lookLater(file: NodeFile): void {
    file.timer = this.options.clock.after(TRIAL_LOOK_MS, () => this.look(file))
  }

  /** What was in flight before its trial ends one by one, and makes no more room. */
  private look(file: NodeFile): void {
    const { trial = 0 } = file.node.standing
    const inFlight = this.options.inFlight(file.node)
    if (inFlight < trial) file.node.admit({ trial: inFlight, note: ON_TRIAL })
    this.lookLater(file)
  }

  /** A request of a node on trial has ended. */
  onTrial(file: NodeFile, kind: NodeOutcome['kind'], words: string): void {
    if (kind !== 'served') return this.judge.takeOut(file, { kind: file.kind, why: `its trial failed: ${words}` })
    file.served += 1
    if (file.kind !== 'slow' || file.served >= UNMEASURED_SERVED) this.slowStart(file)
  }
}
