import { describe, expect, it } from 'vitest'
import { expertBalance } from './expert-balance.js'
import { readMetrics } from './load.js'
import { metricsPage } from './metrics.test.fixture.js'
import { StepWatch } from './step-watch.js'

describe('load from /metrics', () => {
  it('is read in full', () => {
    expect(readMetrics(metricsPage({ running: 3, waiting: 2 }))).toEqual({
      facts: {
        running: 3,
        waiting: 2,
        kvUsedRatio: 0.25,
        kvBlocks: 27_648,
        kvBlockTokens: 16,
        promptTokens: 5000,
        cachedTokens: 1040,
        asleep: false,
        adapters: ['sql', 'de', 'fr'],
      },
      stepMark: 1000,
    })
  })

  it('is summed over the engines of data parallelism, and the ratio is their mean', () => {
    const page = `vllm:num_requests_running{engine="0"} 3
vllm:num_requests_running{engine="1"} 4
vllm:kv_cache_usage_perc{engine="0"} 0.2
vllm:kv_cache_usage_perc{engine="1"} 0.6
vllm:cache_config_info{engine="0",block_size="16",num_gpu_blocks="100"} 1
vllm:cache_config_info{engine="1",block_size="16",num_gpu_blocks="50"} 1`
    expect(readMetrics(page).facts).toEqual({ running: 7, kvUsedRatio: 0.4, kvBlocks: 150, kvBlockTokens: 16 })
  })

  it('is read by the names of 2025-06 and before', () => {
    const page = `vllm:gpu_cache_usage_perc{model_name="m"} 0.5
vllm:gpu_prefix_cache_hits_total{model_name="m"} 64
vllm:time_per_output_token_seconds_sum 1`
    expect(readMetrics(page).facts).toEqual({ kvUsedRatio: 0.5, cachedTokens: 64 })
  })

  it('says nothing of what is not told: no cache yet, no numbers, another program', () => {
    expect(readMetrics('vllm:cache_config_info{block_size="None",num_gpu_blocks="None"} 1').facts).toEqual({})
    expect(readMetrics('vllm:num_requests_running NaN\nvllm:num_requests_waiting -1').facts).toEqual({})
    expect(readMetrics('<html>hello</html>').facts).toEqual({})
  })

  it('knows sleep', () => {
    expect(readMetrics(metricsPage({ asleep: true })).facts.asleep).toBe(true)
  })
})

describe('the balance of experts', () => {
  const line = (balance: string) =>
    `(EngineCore pid=1) INFO 11-21 [eplb_state.py:5] EPLB step: 7 for model m: avg_tokens=80.00, max_tokens=100, balancedness=${balance}, steps until the next rearrangement: 3`

  it('is that of the last step with tokens', () => {
    expect(expertBalance([line('0.5000'), line('0.8000'), line('0.0000')].join('\n'))).toEqual({ expertImbalance: 1.25 })
    expect(expertBalance('EPLB step: avg_tokens=1.00, max_tokens=4, balancedness=0.2500, imbalanceness=0.1')).toEqual({
      expertImbalance: 4,
    })
  })

  it('is unknown where the log does not say', () => {
    expect(expertBalance('')).toEqual({})
    expect(expertBalance(line('0.0000'))).toEqual({})
    expect(expertBalance('balancedness=9.0')).toEqual({})
  })
})

describe('a hung engine', () => {
  it('is one that makes no step with requests running', () => {
    let nowMs = 0
    const watch = new StepWatch(() => nowMs)
    watch.see(2, 100)
    nowMs = 80_000
    watch.see(2, 100)
    expect(watch.standstillSeconds).toBeUndefined()
    nowMs = 95_000
    expect(watch.standstillSeconds).toBe(95)
    watch.see(2, 101)
    expect(watch.standstillSeconds).toBeUndefined()
  })

  it('is not an idle one, nor one that counts no steps', () => {
    let nowMs = 0
    const watch = new StepWatch(() => nowMs)
    watch.see(0, 100)
    nowMs = 1_000_000
    expect(watch.standstillSeconds).toBeUndefined()
    watch.see(1, undefined)
    nowMs = 2_000_000
    expect(watch.standstillSeconds).toBeUndefined()
  })
})
