import type { CacheEvent } from '@plimsoll/core/plugin'
import type { BatchDecoder } from './event-batch.js'

/** One batch as the publisher numbers it, from 0. */
export interface NumberedBatch {
  readonly seq: bigint
  readonly payload: Buffer
}

/** Asks for all batches from a number on that the publisher still has, in order. Throws where it cannot be asked. */
export type Replay = (fromSeq: bigint) => Promise<readonly NumberedBatch[]>

/**
 * Makes a whole story of numbered batches: asks for what was missed, notices a publisher that began anew, and says so where something is lost for good.
 * Batches come in through one door after another: while a replay runs, live ones wait.
 */
export class BatchStory {
  /** The number that must come next. */
  private nextSeq = 0n
  private last: Buffer | undefined
  private hasTold = false
  /** What a replay brought, until the first live batch behind it: some of it waits among the live ones too. */
  private readonly repeated = new Map<bigint, Buffer>()
  private work: Promise<void> = Promise.resolve()

  constructor(
    private readonly decode: BatchDecoder,
    private readonly replay: Replay,
    private readonly tell: (event: CacheEvent) => void,
  ) {}

  /** A publisher has connected: what it said before, and whether it is the one that we know. */
  connected(): void {
    this.queue(() => this.catchUp())
  }

  live(batch: NumberedBatch): void {
    this.queue(() => this.take(batch))
  }

  /** Everything that has come so far is told. */
  settled(): Promise<void> {
    return this.work
  }

  private queue(task: () => Promise<void>): void {
    // Whatever fails here, the story must go on; what it was about is lost.
    this.work = this.work.then(task).catch(() => this.lost())
  }

  private async take(batch: NumberedBatch): Promise<void> {
    if (batch.seq > this.nextSeq) await this.fill()
    // The replay had it already.
    if (batch.seq === this.nextSeq - 1n && this.last?.equals(batch.payload) === true) return
    if (batch.seq < this.nextSeq && !this.isRepeated(batch)) await this.beginAnew(batch.seq)
    if (batch.seq < this.nextSeq) return
    this.deliver(batch)
    this.repeated.clear()
  }

  private isRepeated({ seq, payload }: NumberedBatch): boolean {
    return this.repeated.get(seq)?.equals(payload) === true
  }

  private async catchUp(): Promise<void> {
    if (this.nextSeq === 0n) return this.fill()
    const kept = await this.replay(this.nextSeq - 1n).catch(() => undefined)
    const [first] = kept ?? []
    if (kept !== undefined && (first?.seq !== this.nextSeq - 1n || this.last?.equals(first.payload) !== true)) return this.beginAnew(0n)
    this.deliverAll(kept ?? [])
  }

  /** What lies between the last batch and now; where that cannot be had, nothing said before counts any more. */
  private async fill(): Promise<void> {
    const kept = await this.replay(this.nextSeq).catch(() => undefined)
    const [first] = kept ?? []
    const isWhole = kept !== undefined && (first === undefined || first.seq <= this.nextSeq)
    if (!isWhole) this.lost()
    this.deliverAll(kept ?? [])
  }

  private async beginAnew(seq: bigint): Promise<void> {
    if (this.hasTold) this.tell({ kind: 'cleared', reason: 'restart' })
    this.hasTold = false
    this.nextSeq = 0n
    this.last = undefined
    this.repeated.clear()
    if (seq > 0n) await this.fill()
  }

  private deliverAll(batches: readonly NumberedBatch[]): void {
    this.repeated.clear()
    for (const batch of batches) {
      this.repeated.set(batch.seq, batch.payload)
      if (batch.seq >= this.nextSeq) this.deliver(batch)
    }
  }

  private deliver({ seq, payload }: NumberedBatch): void {
    if (seq > this.nextSeq) this.lost()
    this.nextSeq = seq + 1n
    this.last = payload
    const events = this.decode(payload)
    if (events === undefined) return this.lost()
    for (const event of events) this.tell(event)
    this.hasTold ||= events.length > 0
  }

  private lost(): void {
    if (this.hasTold) this.tell({ kind: 'cleared', reason: 'gap' })
    this.hasTold = false
  }
}
