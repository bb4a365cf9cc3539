import type { Clock } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'

export interface WebhookOptions {
  readonly clock: Clock
  readonly log: Logger
  /** One try; throws where nobody took it. */
  readonly post: (url: string, body: object) => Promise<void>
}

const PAUSES_MS = [1_000, 5_000]

/** Tells others of something: a few tries, and nobody waits for them. */
export class Webhooks {
  constructor(private readonly options: WebhookOptions) {}

  tell(urls: readonly string[], body: object): void {
    for (const url of urls) void this.deliver(url, body)
  }

  private async deliver(url: string, body: object): Promise<void> {
    const { clock, log, post } = this.options
    for (let tried = 0; ; tried += 1) {
      try {
        return await post(url, body)
      } catch (error) {
        const pauseMs = PAUSES_MS[tried]
        if (pauseMs === undefined) return log.warn('rollout.webhook_failed', { host: hostOf(url), error: messageOf(error) })
        await new Promise<void>((resolve) => void clock.after(pauseMs, resolve))
      }
    }
  }
}

/** A path may hold a secret. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an unreadable URL'
}
