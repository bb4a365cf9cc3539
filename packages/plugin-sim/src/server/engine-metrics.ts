import type { ModelStats } from '@plimsoll/engine-model'
import { Histogram } from './histogram.js'

const ttftBounds = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560]
const tokenBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80]
const latencyBounds = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680]

const outcomes = ['stop', 'length', 'abort', 'error'] as const

interface MetricsContext {
  readonly model: string
  readonly blockTokens: number
  readonly stats: ModelStats
}

/** Counts in vLLM's own names and buckets (`engines/vllm.md`, section 4), so that what reads a vLLM reads this. */
export class EngineMetrics {
  promptTokens = 0
  generationTokens = 0
  readonly finished: Record<(typeof outcomes)[number], number> = { stop: 0, length: 0, abort: 0, error: 0 }
  readonly ttftSeconds = new Histogram(ttftBounds)
  readonly interTokenSeconds = new Histogram(tokenBounds)
  readonly e2eSeconds = new Histogram(latencyBounds)

  render({ model, blockTokens, stats }: MetricsContext): string {
    const labels = `engine="0",model_name="${escapeLabel(model)}"`
    const one = (type: 'gauge' | 'counter', name: string, value: number) =>
      `# HELP vllm:${name} Simulated.\n# TYPE vllm:${name} ${type}\nvllm:${name}{${labels}} ${value}\n`
    const histogram = (name: string, values: Histogram) =>
      `# HELP vllm:${name} Simulated.\n# TYPE vllm:${name} histogram\n${values.render(`vllm:${name}`, labels)}`
    return [
      one('gauge', 'num_requests_running', stats.running),
      one('gauge', 'num_requests_waiting', stats.waiting),
      one('gauge', 'kv_cache_usage_perc', stats.usedBlocks / stats.totalBlocks),
      one('counter', 'prompt_tokens_total', this.promptTokens),
      one('counter', 'generation_tokens_total', this.generationTokens),
      one('counter', 'prompt_tokens_cached_total', stats.prefixHitTokens),
      one('counter', 'prefix_cache_queries_total', stats.prefixQueryTokens),
      one('counter', 'prefix_cache_hits_total', stats.prefixHitTokens),
      one('counter', 'num_preemptions_total', stats.preemptions),
      this.renderFinished(labels),
      histogram('time_to_first_token_seconds', this.ttftSeconds),
      histogram('inter_token_latency_seconds', this.interTokenSeconds),
      histogram('e2e_request_latency_seconds', this.e2eSeconds),
      renderCacheConfig(blockTokens, stats.totalBlocks),
    ].join('')
  }

  private renderFinished(labels: string): string {
    const samples = outcomes.map((reason) => `vllm:request_success_total{${labels},finished_reason="${reason}"} ${this.finished[reason]}\n`)
    return `# HELP vllm:request_success_total Simulated.\n# TYPE vllm:request_success_total counter\n${samples.join('')}`
  }
}

function renderCacheConfig(blockTokens: number, blocks: number): string {
  const labels = `block_size="${blockTokens}",num_gpu_blocks="${blocks}",enable_prefix_caching="True",engine="0"`
  return `# HELP vllm:cache_config_info Simulated.\n# TYPE vllm:cache_config_info gauge\nvllm:cache_config_info{${labels}} 1\n`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
