import { DueQueue } from './due-queue.js'
import type { Workload, WorkloadRequest } from './workload.js'

/** Those who send: sessions begin when the workload says, and go on some time after each answer. */
export class Clients {
  /** When the latest session began. */
  lastStartMs = 0
  private readonly starts: Iterator<WorkloadRequest>
  private nextStart: WorkloadRequest | undefined
  private readonly followUps = new DueQueue<WorkloadRequest>()

  constructor(
    { starts }: Workload,
    private readonly rate: number,
  ) {
    this.starts = starts[Symbol.iterator]()
    this.step()
  }

  /** When the next request is sent, as far as it is known; Infinity = none. */
  get nextMs(): number {
    return Math.min(this.startMs, this.followUps.firstMs)
  }

  /** The request that is due. */
  take(): WorkloadRequest | undefined {
    if (this.followUps.firstMs <= this.startMs) return this.followUps.take()
    const start = this.nextStart
    this.lastStartMs = this.startMs
    this.step()
    return start
  }

  /** The answer is whole: the session goes on. */
  answered({ next }: WorkloadRequest, nowMs: number): void {
    if (next !== undefined) this.followUps.add(nowMs + next.atMs, next)
  }

  /** No more sessions. */
  close(): void {
    this.nextStart = undefined
    this.starts.return?.()
  }

  private get startMs(): number {
    return this.nextStart === undefined ? Infinity : this.nextStart.atMs / this.rate
  }

  private step(): void {
    const next = this.starts.next()
    this.nextStart = next.done === true ? undefined : next.value
  }
}
