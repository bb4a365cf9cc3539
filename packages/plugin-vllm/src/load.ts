import { type LoadFacts, type MetricSample, parseMetrics } from '@plimsoll/core/plugin'

/** What `/metrics` tells beside the load. */
export interface EngineMetrics {
  readonly facts: LoadFacts
  /** Grows with every step of the engine; undefined where nothing of the kind is reported. Stands still in a hung engine. */
  readonly stepMark: number | undefined
}

/** A page holds thousands of histogram buckets beside these. */
const wanted: ReadonlySet<string> = new Set(
  [
    'num_requests_running num_requests_waiting kv_cache_usage_perc gpu_cache_usage_perc engine_sleep_state cache_config_info lora_requests_info',
    'prompt_tokens_total prompt_tokens prompt_tokens_cached_total prefix_cache_hits_total gpu_prefix_cache_hits_total',
    'iteration_tokens_total_count generation_tokens_total generation_tokens',
  ].flatMap((line) => line.split(' ').map((name) => `vllm:${name}`)),
)

/**
 * Reads vLLM's metrics. Names changed over time and both are taken: `gpu_cache_usage_perc` became `kv_cache_usage_perc` in 2025-06 and was gone
 * in 2025-11, `gpu_prefix_cache_*` became `prefix_cache_*`. With several data-parallel engines each has its own series.
 */
export function readMetrics(text: string): EngineMetrics {
  const page = new MetricPage(parseMetrics(text, (name) => wanted.has(name)))
  const blocks = page.blocks()
  const running = page.sum('num_requests_running')
  const promptTokens = page.sum('prompt_tokens_total', 'prompt_tokens')
  // Hits are counted in tokens, not in requests.
  const cachedTokens = page.sum('prompt_tokens_cached_total', 'prefix_cache_hits_total', 'gpu_prefix_cache_hits_total')
  return {
    facts: {
      ...known('running', running),
      ...known('waiting', page.sum('num_requests_waiting')),
      ...known('kvUsedRatio', page.mean('kv_cache_usage_perc', 'gpu_cache_usage_perc')),
      ...known('kvBlocks', blocks.count),
      ...known('kvBlockTokens', blocks.tokens),
      ...known('promptTokens', promptTokens),
      ...known('cachedTokens', cachedTokens),
      ...known('asleep', page.asleep()),
      ...known('adapters', page.adapters()),
    },
    stepMark: page.sum('iteration_tokens_total_count') ?? page.sum('generation_tokens_total', 'generation_tokens'),
  }
}

function known<Key extends keyof LoadFacts>(key: Key, value: LoadFacts[Key]): Pick<LoadFacts, Key> | Record<string, never> {
  return value === undefined ? {} : ({ [key]: value } as unknown as Pick<LoadFacts, Key>)
}

class MetricPage {
  private readonly byName = new Map<string, MetricSample[]>()

  constructor(samples: readonly MetricSample[]) {
    for (const sample of samples) {
      const name = sample.name.slice('vllm:'.length)
      const list = this.byName.get(name)
      if (list === undefined) this.byName.set(name, [sample])
      else list.push(sample)
    }
  }

  /** Finite values of the first of these names that has any. */
  private values(names: readonly string[]): number[] {
    for (const name of names) {
      const values = (this.byName.get(name) ?? []).map(({ value }) => value).filter((value) => Number.isFinite(value) && value >= 0)
      if (values.length > 0) return values
    }
    return []
  }

  sum(...names: string[]): number | undefined {
    const values = this.values(names)
    return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0)
  }

  mean(...names: string[]): number | undefined {
    const values = this.values(names)
    return values.length === 0 ? undefined : Math.min(1, values.reduce((total, value) => total + value, 0) / values.length)
  }

  /** The cache's shape stands in labels, as strings; an engine that has not made its cache says "None". */
  blocks(): { readonly count: number | undefined; readonly tokens: number | undefined } {
    const infos = this.byName.get('cache_config_info') ?? []
    const counts = infos.flatMap(({ labels }) => countOf(labels['num_gpu_blocks']) ?? [])
    return {
      count: counts.length === 0 ? undefined : counts.reduce((total, each) => total + each, 0),
      tokens: countOf(infos[0]?.labels['block_size']),
    }
  }

  /** One series per sleep state, 1 for the one that holds. */
  asleep(): boolean | undefined {
    const states = (this.byName.get('engine_sleep_state') ?? []).filter(({ value }) => value === 1)
    return states.length === 0 ? undefined : states.some(({ labels }) => labels['sleep_state'] !== 'awake')
  }

  /** Adapters at work or waiting. Old label sets stay as extra series, so the newest stamp is the true one. */
  adapters(): readonly string[] | undefined {
    const infos = this.byName.get('lora_requests_info') ?? []
    const newest = infos.reduce<MetricSample | undefined>(
      (best, each) => (best === undefined || each.value > best.value ? each : best),
      undefined,
    )
    if (newest === undefined) return undefined
    const { running_lora_adapters: running = '', waiting_lora_adapters: waiting = '' } = newest.labels
    return [...new Set(`${running},${waiting}`.split(',').map((name) => name.trim()))].filter((name) => name !== '')
  }
}

function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
