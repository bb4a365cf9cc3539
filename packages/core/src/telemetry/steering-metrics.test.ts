import { describe, expect, it } from 'vitest'
import { GatewayMetrics } from './gateway-metrics.js'
import { ResidencyMetrics, type ResidencyReading } from './residency-metrics.js'
import { RolloutMetrics, type RolloutReading } from './rollout-metrics.js'

function linesOf(metrics: GatewayMetrics, prefix: string): string[] {
  return metrics
    .render()
    .split('\n')
    .filter((line) => line.startsWith(prefix))
}

describe('metrics of rollouts', () => {
  it('tell the newest of each pool, its shares only while it runs', () => {
    const metrics = new GatewayMetrics({ version: '1', nodes: () => [] })
    const seats = new RolloutMetrics(metrics.registry)
    const sides = { from: { revision: 'r1' }, to: { revision: 'r2' } }
    const judge = { canaryRequests: 12, baselineRequests: 40 }
    const first: RolloutReading = { pool: 'chat', phase: 'promoted', ...sides, share: 1, endedAtMs: 5, judge }
    let all: RolloutReading[] = []
    metrics.onScrape(() => seats.read(all))
    expect(linesOf(metrics, 'lb_rollout')).toEqual([])
    all = [{ ...first, phase: 'holding', share: 0.25, endedAtMs: null }, first]
    expect(linesOf(metrics, 'lb_rollout')).toEqual([
      'lb_rollout_phase{pool="chat",phase="holding"} 1',
      'lb_rollout_share_ratio{pool="chat",revision="r1"} 0.75',
      'lb_rollout_share_ratio{pool="chat",revision="r2"} 0.25',
      'lb_rollout_judged_requests{pool="chat",revision="r1"} 40',
      'lb_rollout_judged_requests{pool="chat",revision="r2"} 12',
    ])
    all = [first]
    expect(linesOf(metrics, 'lb_rollout')).toEqual(['lb_rollout_phase{pool="chat",phase="promoted"} 1'])
  })
})

describe('metrics of pools that share accelerators', () => {
  it('tell who is in memory, who waits and how often each was woken', () => {
    const metrics = new GatewayMetrics({ version: '1', nodes: () => [] })
    const seats = new ResidencyMetrics(metrics.registry)
    const all: ResidencyReading[] = [
      { pool: 'chat', state: 'awake', waiting: 0, wakes: 2 },
      { pool: 'code', state: 'resting', waiting: 3, wakes: 1 },
    ]
    metrics.onScrape(() => seats.read(all))
    metrics.render()
    expect(linesOf(metrics, 'lb_residency')).toEqual([
      'lb_residency_state{pool="chat",state="awake"} 1',
      'lb_residency_state{pool="code",state="resting"} 1',
      'lb_residency_waiting{pool="chat"} 0',
      'lb_residency_waiting{pool="code"} 3',
      'lb_residency_wakes_total{pool="chat"} 2',
      'lb_residency_wakes_total{pool="code"} 1',
    ])
  })
})
