import { BodyBudget } from './body-budget.js'
import { pipeline } from './pipeline.js'
import type { ProxyContext, ProxyOptions, ProxyRequest } from './proxy-context.js'
import { TokenEstimates } from './token-estimates.js'

export interface Proxy {
  /** Serves one inference request to its end. Never throws. */
  handle(request: ProxyRequest): void
  /** Requests that are being served at this moment. */
  readonly active: number
  /** Forgets what was learned of pools that are gone. */
  retain(pools: ReadonlySet<string>): void
}

export function createProxy(options: ProxyOptions): Proxy {
  const context: ProxyContext = { ...options, bodies: new BodyBudget(), estimates: new TokenEstimates() }
  let active = 0
  const left = (): void => void (active -= 1)
  return {
    handle(request) {
      active += 1
      pipeline(context, request, left)
    },
    get active() {
      return active
    },
    retain: (pools) => context.estimates.retain(pools),
  }
}
