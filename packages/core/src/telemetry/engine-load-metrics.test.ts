import { describe, expect, it } from 'vitest'
import { EngineLoadMetrics } from './engine-load-metrics.js'
import { MetricRegistry } from './metric-registry.js'

const place = { pool: 'chat', node: 'chat/a' }

function shown(read: (metrics: EngineLoadMetrics) => void): string[] {
  const registry = new MetricRegistry()
  read(new EngineLoadMetrics(registry))
  return registry
    .render()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
}

describe('metrics of what engines say of their load', () => {
  it('show what was told, and its age', () => {
    const load = { running: 3, waiting: 1, slots: 8, kvUsedRatio: 0.5, promptTokens: 1000, cachedTokens: 250 }
    expect(shown((metrics) => metrics.read(place, load, 1500)).toSorted()).toEqual(
      [
        'lb_engine_running{pool="chat",node="chat/a"} 3',
        'lb_engine_waiting{pool="chat",node="chat/a"} 1',
        'lb_engine_slots{pool="chat",node="chat/a"} 8',
        'lb_engine_kv_used_ratio{pool="chat",node="chat/a"} 0.5',
        'lb_engine_prompt_tokens_total{pool="chat",node="chat/a"} 1000',
        'lb_engine_cached_tokens_total{pool="chat",node="chat/a"} 250',
        'lb_engine_load_age_seconds{pool="chat",node="chat/a"} 1.5',
      ].toSorted(),
    )
  })

  it('leave out what an engine does not tell, and everything but the age once that is over a minute', () => {
    expect(shown((metrics) => metrics.read(place, { running: 0 }, 0))).toHaveLength(2)
    expect(shown((metrics) => metrics.read(place, { running: 7 }, 61_000))).toEqual([
      'lb_engine_load_age_seconds{pool="chat",node="chat/a"} 61',
    ])
  })

  it('are gone with the node', () => {
    const lines = shown((metrics) => {
      metrics.read(place, { running: 7 }, 0)
      metrics.clear()
    })
    expect(lines).toEqual([])
  })
})
