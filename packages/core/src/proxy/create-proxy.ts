import type { NodeWarmer } from '../contracts/index.js'
import { TokenEstimates } from '../insight/index.js'
import { BodyBudget } from './body-budget.js'
import { Cooldowns } from './cooldowns.js'
import { DecisionTracer } from './decision-tracer.js'
import { HotPrompts, warmNode } from './hot-prompts/index.js'
import { pipeline } from './pipeline.js'
import type { ProxyContext, ProxyOptions, ProxyRequest } from './proxy-context.js'
import { QuarantineDesk, type OfficeWord } from './quarantine/index.js'
import type { BudgetState } from './retries/retry-budget.js'
import { HedgeBook } from './retries/hedge-book.js'
import { RetryBudgets } from './retries/retry-budgets.js'
import { Shadows } from './shadow/shadows.js'
import { WaitingLines } from './waiting-line.js'
import { Zones } from './zones.js'

export interface Proxy extends NodeWarmer {
  /** Serves one inference request to its end. Never throws. */
  handle(request: ProxyRequest): void
  /** Requests that are being served at this moment. */
  readonly active: number
  /** Requests in line right now, by pool; pools where none waits are left out. */
  inLine(): ReadonlyMap<string, number>
  /** What pools have spent on tries in vain. */
  budgets(): ReadonlyMap<string, BudgetState>
  /** There is another roster. */
  nodesChanged(): void
  /** The office of the quarantine says something. */
  quarantine(word: OfficeWord): void
  /** What is asked most, for nodes that are new. */
  readonly hotPrompts: Pick<HotPrompts, 'use' | 'counted' | 'take'>
  /** Forgets what was learned of pools that are gone. */
  retain(pools: ReadonlySet<string>): void
}

export function createProxy(options: ProxyOptions): Proxy {
  const { clock, limits, leases, random, onDecision } = options
  const lines = new WaitingLines(clock, options.onLine)
  const context: ProxyContext = {
    ...options,
    bodies: new BodyBudget(),
    estimates: new TokenEstimates(),
    zones: new Zones(leases, () => limits().zone),
    lines,
    cooldowns: new Cooldowns(() => lines.stirAll()),
    budgets: new RetryBudgets(clock),
    hedges: new HedgeBook(),
    quarantine: new QuarantineDesk({ clock, wheel: options.wheel, salt: options.salt, tell: options.onDeskWord }),
    tracer: new DecisionTracer({ random, share: () => limits().traceShare, onDecision }),
    shadows: new Shadows(),
    hotPrompts: new HotPrompts({ clock, random, onKept: options.onHotPrompt }),
  }
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
    inLine: () => context.lines.sizes(),
    budgets: () => context.budgets.states(),
    nodesChanged() {
      const roster = options.rosters.current()
      context.cooldowns.retain(roster.nodes)
      context.shadows.nodesChanged(roster)
      lines.stirAll()
    },
    quarantine: (word) => context.quarantine.hear(word),
    hotPrompts: context.hotPrompts,
    warm: (order) => warmNode(context, order),
    retain(pools) {
      context.estimates.retain(pools)
      context.zones.retain(pools)
      context.tracer.retain(pools)
      context.budgets.retain(pools)
      context.hedges.retain(pools)
      lines.forgetEmpty()
    },
  }
}
