import type { Clock, TimerHandle } from '../base/index.js'
import type { RosterNode, RosterSource } from '../contracts/index.js'
import { openingOf, type AnswerWatch } from '../dialects/index.js'
import type { Admitted } from './admit.js'

/** Most time for which too little to tell is held back. */
const SHORT_MS = 300
/** Most time for which a text is held back that was nothing but a loop so far. */
const LOOP_MS = 3_000

interface OpeningOptions {
  readonly request: Admitted
  readonly node: RosterNode
  readonly rosters: RosterSource
  readonly clock: Clock
  readonly watch: AnswerWatch | undefined
  /** It was held back for long enough. */
  readonly onOpen: () => void
}

/**
 * The first words of a stream of a revision that is tried out. They are passed on once they look like an answer, a few tokens later, so that a broken model that
 * says the same word from the start can be left for the trusted revision before its client has read it.
 */
export class Opening {
  private isOpen = false
  private sinceMs: number | undefined
  private timer: TimerHandle | undefined

  private constructor(private readonly options: OpeningOptions & { readonly watch: AnswerWatch }) {}

  /** Undefined: nothing is held back. */
  static of(options: OpeningOptions): Opening | undefined {
    const { request, node, watch } = options
    return watch !== undefined && request.parting?.doubts(node) === true ? new Opening({ ...options, watch }) : undefined
  }

  /** There is more of it. */
  look(): 'open' | 'held' | 'loop' {
    if (this.isOpen) return 'open'
    const begun = this.options.watch.opening()
    const looks = begun === undefined ? 'sane' : openingOf(begun)
    if (looks === 'loop') return this.loops()
    if (looks === 'sane') return this.close('open')
    const leftMs = (looks === 'maybe' ? LOOP_MS : SHORT_MS) - this.heldMs()
    if (leftMs <= 0) return this.close('open')
    this.timer?.cancel()
    this.timer = this.options.clock.after(leftMs, () => {
      this.close('open')
      this.options.onOpen()
    })
    return 'held'
  }

  close<Look>(look: Look): Look {
    this.isOpen = true
    this.timer?.cancel()
    return look
  }

  /** Where nobody trusted is there, it is held to its end: then it waits for the trusted one, as any whole answer that is no good. */
  private loops(): 'held' | 'loop' {
    this.timer?.cancel()
    return this.isTrustedThere ? this.close('loop') : 'held'
  }

  private heldMs(): number {
    const nowMs = this.options.clock.nowMs()
    return nowMs - (this.sinceMs ??= nowMs)
  }

  private get isTrustedThere(): boolean {
    const { request, rosters } = this.options
    return rosters
      .current()
      .routable(request.pool.name)
      .some((node) => request.parting?.isTrusted(node) === true)
  }
}
