import type { Candidate, RequestFacts, RoutingEvent, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { lowest, requestLoad } from './load.js'
import { prefixKey } from './prefix-key.js'
import { numberSetting, settingsSchema } from './settings.js'
import { StickyTable } from './sticky-table.js'

interface StickySettings {
  readonly key?: 'session' | 'prefix'
  readonly idleMs?: number
  readonly maxEntries?: number
}

const byDefault = { key: 'session', idleMs: 7_200_000, maxEntries: 100_000 } as const

/** Tokens of a prompt that name it, where there is no session to go by. */
const PREFIX_TOKENS = 256

/**
 * A conversation stays where it began, while that node is a candidate and the conversation is not idle for too long; a new one begins where the fewest
 * requests are. Remembers instead of hashing, so nothing moves when a node is added. What names no conversation is placed afresh each time.
 */
export const sticky: StrategyPlugin<StickySettings> = {
  name: 'sticky',
  summary:
    'A conversation stays where it began; new ones go to the node with the fewest requests. Good for chats with a session id; nodes that are added get new conversations only.',
  settings: settingsSchema({
    key: {
      enum: ['session', 'prefix'],
      default: byDefault.key,
      description: 'What stays together: requests of one conversation, or prompts with the same first 256 tokens.',
    },
    idleMs: numberSetting({ from: 1000, to: 1e9, or: byDefault.idleMs }, 'After so long without a request a conversation is placed anew.'),
    maxEntries: numberSetting(
      { from: 1, to: 1e7, or: byDefault.maxEntries },
      'Conversations that are remembered; beyond that the one idle the longest is forgotten.',
    ),
  }),
  create: (context) => new Sticky(context),
}

class Sticky implements Strategy {
  private readonly settings: typeof byDefault & StickySettings
  private readonly table: StickyTable

  constructor(private readonly context: StrategyContext<StickySettings>) {
    this.settings = { ...byDefault, ...context.settings } as typeof byDefault & StickySettings
    this.table = new StickyTable(this.settings)
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const key = this.keyOf(facts)
    const kept = key === undefined ? -1 : this.table.find(key, candidates, this.context.clock.nowMs())
    const load = requestLoad(this.context.belief)
    const chosen = kept >= 0 ? kept : lowest(candidates, (node) => load(facts, node), this.context.random)
    if (trace !== undefined) {
      trace.unit('requests', 'lowest')
      for (const [position, node] of candidates.entries()) trace.cost(position, { requests: load(facts, node) })
      trace.because(
        kept >= 0
          ? 'its conversation is there'
          : key === undefined
            ? 'it names no conversation'
            : 'its conversation begins, or begins anew',
      )
    }
    return chosen
  }

  observe(event: RoutingEvent): void {
    if (event.kind !== 'dispatched') return
    const key = this.keyOf(event.facts)
    if (key !== undefined) this.table.keep(key, event.node, event.atMs)
  }

  private keyOf(facts: RequestFacts): string | number | undefined {
    return this.settings.key === 'session' ? facts.session : prefixKey(facts, PREFIX_TOKENS)
  }
}
