import type { TimerHandle } from '../base/index.js'
import type { NodeState } from '../contracts/index.js'
import { FaultWindow } from './fault-window.js'
import type { EjectionKind, JudgeSettings } from './judge-settings.js'
import { TimeOut } from './time-out.js'

/** A node as its judge sees it. */
export interface JudgedNode {
  readonly id: string
  /** Row in the shared counters. */
  readonly index: number
  /** Counts its lives. */
  readonly incarnation: number
  readonly state: NodeState
  readonly endpoint: { readonly process?: unknown } | undefined
  readonly standing: { readonly ejection: { readonly lost?: string | undefined } | undefined; readonly trial: number | undefined }
  readonly plan: {
    readonly pool: { readonly name: string; readonly health: JudgeSettings }
    readonly group: { readonly engine: string; readonly model?: string | undefined }
  }
  eject(ejection: { readonly reason: string; readonly untilMs: number; readonly lost?: string | undefined }): boolean
  readmit(back?: Back): void
  admit(back: Back): void
}

export interface Back {
  readonly trial?: number | undefined
  readonly admission?: number | undefined
  readonly note?: string | undefined
}

/** Why somebody wants a node out. */
export interface Charge {
  readonly kind: EjectionKind
  /** For people: "no token for 31 s with 12 requests in flight". */
  readonly why: string
  /** What is in flight there is given up, with this reason. */
  readonly lost?: string
}

/** What the judge keeps of one node. */
export class NodeFile {
  /** `in`: all of its traffic, as far as its judge is concerned. */
  place: 'in' | 'out' | 'trial' | 'slow-start' = 'in'
  /** Why it was out last. */
  kind: EjectionKind = 'failures'
  sinceMs = 0
  /** Requests that were served on trial. */
  served = 0
  /** It has been ready, in whatever life. */
  wasReady = false
  /** It has failed, and was not ready since. */
  hasFailed = false
  /** A verdict waits for what the supervisor of its process knows. */
  isPending = false
  timer: TimerHandle | undefined
  readonly counts: Record<EjectionKind, number> = { failures: 0, slow: 0, hung: 0 }
  readonly timeOut = new TimeOut()
  faults = new FaultWindow()
  life: number

  constructor(readonly node: JudgedNode) {
    this.life = node.incarnation
  }

  /** Another process is behind the name: what its forerunner did does not count. */
  meet(): void {
    if (this.life === this.node.incarnation) return
    this.life = this.node.incarnation
    this.faults = new FaultWindow()
    this.isPending = false
    this.enter('in', 0)
  }

  enter(place: NodeFile['place'], nowMs: number): void {
    this.timer?.cancel()
    this.timer = undefined
    this.place = place
    this.sinceMs = nowMs
    this.served = 0
  }
}
