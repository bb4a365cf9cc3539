import type { LoadFacts } from '@plimsoll/core/plugin'
import { atMostEvery } from './at-most-every.js'
import { readModelList, type ListedModel } from './model-list.js'
import { readAdapters } from './read-adapters.js'
import { readMetrics, type Metrics } from './read-metrics.js'
import { readSlots, type SlotFacts } from './read-slots.js'
import type { Props, Server } from './server.js'
import type { LlamacppSettings } from './settings.js'

/** Models of a router that are asked one by one. */
const MOST_MODELS = 16

/** Endpoints that ask the engine, polled more often than once a second, keep the slot of a client that left busy for good (measured, b10573). */
export const minAskIntervalMs = 1500

export interface LoadOptions {
  readonly server: Server
  readonly settings: LlamacppSettings
  readonly nowMs: () => number
}

/** Reads what a llama-server says about its load. Keeps what need not be asked twice. */
export class LoadReader {
  private adapters: readonly string[] | undefined

  /** Load and drain ask through the same gate: two of them in turn would halve the time between. */
  private readonly engine: (props: Props, signal: AbortSignal) => Promise<LoadFacts>

  constructor(private readonly options: LoadOptions) {
    this.engine = atMostEvery(minAskIntervalMs, options.nowMs, (props, signal) =>
      props.isRouter ? this.ofRouter(props, signal) : this.ofEngine(props, signal),
    )
  }

  /** True where nothing runs or waits, whoever sent it; also where the server does not say. */
  async isEmpty(signal: AbortSignal): Promise<boolean> {
    const props = await this.options.server.props(signal)
    if (props === undefined || props.isAsleep) return true
    const { running = 0, waiting = 0 } = await this.engine(props, signal)
    return running + waiting === 0
  }

  async read(signal: AbortSignal): Promise<LoadFacts> {
    const { server } = this.options
    const props = await server.props(signal)
    if (props === undefined) return {}
    if (props.isRouter) return this.engine(props, signal)
    const facts = { ...basics(props), asleep: props.isAsleep }
    // Cached numbers; what it holds in memory is nothing, and /slots would load it all again.
    if (props.isAsleep) return { ...facts, ...tokenTotals(await this.metrics(props, signal)), running: 0, waiting: 0, kvUsedRatio: 0 }
    return { ...facts, ...(await this.engine(props, signal)), ...(await this.adapterNames(signal)) }
  }

  private async ofEngine(props: Props, signal: AbortSignal): Promise<LoadFacts> {
    const metrics = await this.metrics(props, signal)
    const isIdle = metrics.running === 0
    // Asked while it is idle, /slots would keep it from falling asleep; /metrics does not (b10568).
    const slots = isIdle || !props.hasSlots ? undefined : await this.slots(signal)
    const running = metrics.running ?? slots?.running
    const kvUsedRatio = isIdle ? 0 : this.kvUsedRatio(slots)
    return {
      ...(running === undefined ? {} : { running }),
      ...(metrics.waiting === undefined ? {} : { waiting: metrics.waiting }),
      ...(kvUsedRatio === undefined ? {} : { kvUsedRatio }),
      ...tokenTotals(metrics),
    }
  }

  private async metrics(props: Props, signal: AbortSignal, query = ''): Promise<Metrics> {
    if (!props.hasMetrics) return {}
    const { status, text } = await this.options.server.get(`/metrics${query}`, signal)
    return status === 200 ? readMetrics(text) : {}
  }

  private async slots(signal: AbortSignal): Promise<SlotFacts | undefined> {
    const { status, text } = await this.options.server.get('/slots', signal)
    return status === 200 ? readSlots(text) : undefined
  }

  /** Only a launched server is known to share its context among the slots or to split it: each slot of a shared one reports the whole. */
  private kvUsedRatio(slots: SlotFacts | undefined): number | undefined {
    const { settings } = this.options
    if (slots === undefined || settings.metrics === undefined) return undefined
    const isShared = settings.unifiedKv ?? settings.slots === undefined
    const [one = 0] = slots.contextTokens
    const room = isShared ? one : slots.contextTokens.reduce((sum, tokens) => sum + tokens, 0)
    return room > 0 ? Math.min(1, slots.usedTokens / room) : undefined
  }

  /** Once a life: the question would wake it, and adapters are read at the start only. */
  private async adapterNames(signal: AbortSignal): Promise<LoadFacts> {
    const { server, settings } = this.options
    const hasNone = settings.metrics !== undefined && settings.loras === undefined && settings.extraArgs === undefined
    if (this.adapters === undefined && !hasNone) {
      const { status, text } = await server.get('/lora-adapters', signal)
      this.adapters = status === 200 ? readAdapters(text) : []
    }
    return this.adapters === undefined || this.adapters.length === 0 ? {} : { adapters: this.adapters }
  }

  /** The sum over the models in memory. `autoload=false`, or the question would load what was put away. */
  private async ofRouter(router: Props, signal: AbortSignal): Promise<LoadFacts> {
    const { server } = this.options
    const { status, text } = await server.models(signal)
    const list = status === 200 ? (readModelList(text) ?? []) : []
    const loaded = list.filter((model) => model.status === 'loaded')
    const parts = await Promise.all(loaded.slice(0, MOST_MODELS).map((model) => this.ofChild(model, router, signal)))
    const awake = list.filter((model) => model.status === 'loaded' || model.status === 'sleeping')
    return { ...sum(parts), loadedModels: awake.map(({ id }) => id) }
  }

  private async ofChild({ id }: ListedModel, router: Props, signal: AbortSignal): Promise<LoadFacts> {
    const query = `?model=${encodeURIComponent(id)}&autoload=false`
    // It may leave memory between the list and the question.
    const props = await this.options.server.props(signal, query).catch(() => undefined)
    const metrics = await this.metrics(router, signal, query).catch((): Metrics => ({}))
    return { ...(props?.slots === undefined ? {} : { slots: props.slots }), ...metrics, ...tokenTotals(metrics) }
  }
}

function basics({ slots, contextTokens }: Props): LoadFacts {
  return { ...(slots === undefined ? {} : { slots }), ...(contextTokens === undefined ? {} : { contextTokens }) }
}

/** llama-server counts computed and cached tokens apart; taken in is both. */
function tokenTotals({ promptTokens, cachedTokens }: Metrics): LoadFacts {
  if (promptTokens === undefined) return {}
  return { promptTokens: promptTokens + (cachedTokens ?? 0), ...(cachedTokens === undefined ? {} : { cachedTokens }) }
}

function sum(parts: readonly LoadFacts[]): LoadFacts {
  const keys = ['running', 'waiting', 'slots', 'promptTokens', 'cachedTokens'] as const
  const sums = keys.flatMap((key) => {
    const known = parts.flatMap((part) => part[key] ?? [])
    // A sum with a gap in it would be too small; a router with nothing in memory has no slots to tell of.
    return known.length === parts.length && (known.length > 0 || key !== 'slots')
      ? [[key, known.reduce((total, value) => total + value, 0)] as const]
      : []
  })
  return Object.fromEntries(sums)
}
