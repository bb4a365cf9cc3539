import type { Clock, TimerHandle } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'

export interface WebhookOptions {
  readonly clock: Clock
  readonly log: Logger
  /** One try; throws where nobody took it. */
  readonly post: (url: string, body: object) => Promise<void>
}

const PAUSES_MS = [1_000, 5_000]
/** Of one URL; what comes on top of it pushes the oldest out. */
const MOST_WAITING = 20
/** A try that does not end by itself is given up. */
const TRY_WITHIN_MS = 10_000

/** Tells others of something, one after the other, so that the last they hear is the last that was said: a few tries each, and nobody waits for them. */
export class Webhooks {
  private readonly waiting = new Map<string, object[]>()
  private readonly timers = new Set<TimerHandle>()
  private isStopped = false

  constructor(private readonly options: WebhookOptions) {}

  tell(urls: readonly string[], body: object): void {
    for (const url of urls) {
      const line = this.waiting.get(url)
      if (line === undefined) void this.deliverAll(url, body)
      else if (line.push(body) > MOST_WAITING) this.gaveUp(url, `${MOST_WAITING} others wait already`, line.shift())
    }
  }

  /** Tries nothing again. */
  stop(): void {
    this.isStopped = true
    for (const timer of this.timers) timer.cancel()
  }

  private async deliverAll(url: string, first: object): Promise<void> {
    const line = [first]
    this.waiting.set(url, line)
    for (let body = line.shift(); body !== undefined && !this.isStopped; body = line.shift()) await this.deliver(url, body)
    this.waiting.delete(url)
  }

  private async deliver(url: string, body: object): Promise<void> {
    for (let tried = 0; !this.isStopped; tried += 1) {
      try {
        return await this.tryOnce(url, body)
      } catch (error) {
        const pauseMs = PAUSES_MS[tried]
        if (pauseMs === undefined) return this.gaveUp(url, messageOf(error), body)
        await new Promise<void>((resolve) => this.after(pauseMs, resolve))
      }
    }
  }

  private async tryOnce(url: string, body: object): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<void>()
    const timer = this.after(TRY_WITHIN_MS, () => reject(new Error(`no answer within ${TRY_WITHIN_MS / 1000} s`)))
    try {
      await Promise.race([this.options.post(url, body), late])
    } finally {
      timer.cancel()
      this.timers.delete(timer)
    }
  }

  private after(ms: number, then: () => void): TimerHandle {
    const timer: TimerHandle = this.options.clock.after(ms, () => {
      this.timers.delete(timer)
      then()
    })
    this.timers.add(timer)
    return timer
  }

  private gaveUp(url: string, error: string, body: object | undefined): void {
    const { phase = '' } = (body ?? {}) as { readonly phase?: string }
    this.options.log.warn('rollout.webhook_failed', { host: hostOf(url), phase, error })
  }
}

/** A path may hold a secret. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an unreadable URL'
}
