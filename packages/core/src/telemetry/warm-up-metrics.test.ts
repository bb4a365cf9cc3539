import { expect, it } from 'vitest'
import { GatewayMetrics } from './gateway-metrics.js'

it('prompts that warm new nodes are counted by what became of them, and leave with their node', () => {
  const reading = { id: 'demo/a', pool: 'demo', state: 'ready', inFlight: 0, waiting: 0, tokensInFlight: 0, restarts: 0 } as const
  let nodes = [{ ...reading, warmUps: { computed: 14, failed: 2, unfinished: 0 } }]
  const metrics = new GatewayMetrics({ version: '1', nodes: () => nodes })
  for (let scrape = 0; scrape < 2; scrape += 1) {
    const lines = metrics.render().split('\n')
    expect(lines.filter((line) => line.startsWith('lb_warm_up_prompts_total'))).toEqual([
      'lb_warm_up_prompts_total{pool="demo",node="demo/a",outcome="computed"} 14',
      'lb_warm_up_prompts_total{pool="demo",node="demo/a",outcome="failed"} 2',
    ])
  }
  nodes = []
  expect(metrics.render()).not.toContain('lb_warm_up_prompts_total{')
})
