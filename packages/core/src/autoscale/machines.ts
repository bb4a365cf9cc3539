import { messageOf } from '../errors/index.js'
import type { ScaleProvider } from '../topology/index.js'
import { Again } from './again.js'
import type { KeyedBook } from './keyed-book.js'
import { callProvider, ProviderFailed, type ProviderContext } from './machine-provider.js'
import { duration } from './policy/index.js'

/** How many machines the providers of this topology have been told to have, over all balancers. */
export class MachineBook {
  private readonly turns = new Map<string, Promise<unknown>>()

  constructor(readonly told: KeyedBook<number>) {}

  /** One call of a group after the other, also where its entry in the file was changed in between. */
  inTurn(key: string, task: () => Promise<void>): Promise<void> {
    const done = (this.turns.get(key) ?? Promise.resolve()).then(task)
    this.turns.set(
      key,
      done.catch(() => undefined),
    )
    return done
  }
}

export interface MachinesOptions extends ProviderContext {
  readonly pool: string
  readonly group: string
  readonly provider: ScaleProvider
  readonly book: MachineBook
  /** A machine could not be brought or returned. */
  readonly failed: (why: string) => void
}

/**
 * The machines of one group. What the provider is told is on the disk before it is told, so that whatever becomes of the call, of the node or of this balancer, no
 * machine stays that nobody wants: as long as more were asked for than there are nodes, the rest is given back.
 */
export class Machines {
  private returning = false
  private readonly again = new Again()
  private problemNow: string | undefined

  constructor(private readonly options: MachinesOptions) {}

  /** For people; undefined: all is as it should be. */
  get problem(): string | undefined {
    return this.problemNow
  }

  /** Resolves once they are there. Throws with what the provider said. */
  bring(from: number, wanted: number): Promise<void> {
    const { book, pool, group, provider } = this.options
    return book.inTurn(this.key, async () => {
      const before = book.told.get(this.key)
      book.told.set(this.key, Math.max(before ?? from, wanted))
      try {
        await callProvider(provider, { pool, group, from, wanted }, this.options)
      } catch (error) {
        // It says that it brought none.
        if (error instanceof ProviderFailed && error.isAnswer) book.told.set(this.key, before)
        throw error
      }
    })
  }

  /** Gives back what is more than so many. Does nothing while it is at it, or has failed not long ago. */
  keepOnly(needed: number): void {
    const { book, clock } = this.options
    if (!this.isMoreThan(needed)) return this.wentWell()
    if (this.returning || this.again.waitsBecause(clock.nowMs()) !== undefined) return
    this.returning = true
    void book
      .inTurn(this.key, () => this.giveBack(needed))
      .catch((error: unknown) => this.failed(messageOf(error)))
      .finally(() => (this.returning = false))
  }

  /** More were asked for than this. */
  isMoreThan(needed: number): boolean {
    return (this.options.book.told.get(this.key) ?? 0) > needed
  }

  private async giveBack(wanted: number): Promise<void> {
    const { book, pool, group, provider } = this.options
    const from = book.told.get(this.key) ?? 0
    if (from <= wanted) return
    await callProvider(provider, { pool, group, from, wanted }, this.options)
    book.told.set(this.key, wanted)
    this.wentWell()
  }

  private wentWell(): void {
    this.again.wentWell()
    this.problemNow = undefined
  }

  private failed(why: string): void {
    const nowMs = this.options.clock.nowMs()
    this.problemNow = `machines that are not needed could not be returned: ${why}`
    this.again.failed(why, nowMs)
    this.options.failed(`${this.problemNow}; tried again in ${duration(this.again.leftMs(nowMs))}`)
  }

  private get key(): string {
    return `${this.options.pool}/${this.options.group}`
  }
}
