import { BodyBudget } from './body-budget.js'
import { pipeline } from './pipeline.js'
import type { ProxyContext, ProxyOptions, ProxyRequest } from './proxy-context.js'
import { TokenEstimates } from './token-estimates.js'

export interface Proxy {
  /** Serves one inference request to its end. Never rejects. */
  handle(request: ProxyRequest): Promise<void>
  /** Requests that are being served at this moment. */
  readonly active: number
  /** Forgets what was learned of pools that are gone. */
  retain(pools: ReadonlySet<string>): void
}

export function createProxy(options: ProxyOptions): Proxy {
  const context: ProxyContext = { ...options, bodies: new BodyBudget(), estimates: new TokenEstimates() }
  let active = 0
  return {
    async handle(request) {
      active += 1
      try {
        await pipeline(context, request)
      } finally {
        active -= 1
      }
    },
    get active() {
      return active
    },
    retain: (pools) => context.estimates.retain(pools),
  }
}
