import { describe, expect, it } from 'vitest'
import type { RequestRecord } from '../contracts/index.js'
import { BeliefMetrics } from './belief-metrics.js'
import { MetricRegistry } from './metric-registry.js'

const place = { pool: 'chat', node: 'chat/a' }
const counted = { pool: 'chat', node: 'chat/a', promptTokens: 1000, cachedTokens: 500 } as RequestRecord

function shown(read: (metrics: BeliefMetrics) => void): string[] {
  const registry = new MetricRegistry()
  read(new BeliefMetrics(registry))
  return registry
    .render()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
}

describe('metrics of what is believed', () => {
  it('show each node as it is believed to be, and leave with it', () => {
    const reading = {
      prefillTokens: 120,
      decodeTokens: 3_000,
      slowness: 2,
      mirrorBlocks: 40,
      mirrorTokens: 9_000,
      mirrorCapacityTokens: 400_000,
      mirrorTrust: 0.9,
    }
    const lines = shown((metrics) => metrics.read(place, reading))
    expect(lines).toHaveLength(7)
    expect(lines).toContain('lb_node_slowness_ratio{pool="chat",node="chat/a"} 2')
    expect(lines).toContain('lb_node_prefill_tokens{pool="chat",node="chat/a"} 120')
    const left = shown((metrics) => {
      metrics.read(place, reading)
      metrics.clear()
    })
    expect(left).toEqual([])
  })

  it('show how far engines agree: the share believed cached, the estimate of the prompt', () => {
    const lines = shown((metrics) => metrics.settle(counted, { promptTokens: 1100, cachedTokens: 800 }))
    expect(lines).toContain('lb_believed_cached_tokens_total{pool="chat",node="chat/a"} 800')
    expect(lines).toContain('lb_cache_belief_error_ratio_sum{pool="chat"} 0.3')
    expect(lines).toContain('lb_prompt_estimate_error_ratio_sum{pool="chat"} 0.1')
  })

  it('say nothing of caches where the engine does not, and nothing of requests that no node had', () => {
    const silent = shown((metrics) => metrics.settle({ ...counted, cachedTokens: null }, { promptTokens: 1000, cachedTokens: 800 }))
    expect(silent.filter((line) => line.includes('cache'))).toEqual([])
    expect(shown((metrics) => metrics.settle({ ...counted, node: null }, { promptTokens: 1, cachedTokens: 0 }))).toEqual([])
  })
})
