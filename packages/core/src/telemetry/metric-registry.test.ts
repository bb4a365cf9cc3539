import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MetricFamily } from './metric-family.js'
import { MetricRegistry } from './metric-registry.js'
import { Counter } from './metric-series.js'
import { parsePrometheus } from './parse-prometheus.test.fixture.js'

describe('the metric registry', () => {
  it('renders nothing for a family without series', () => {
    const registry = new MetricRegistry()
    registry.counter({ name: 'a_total', kind: 'counter', help: 'h', labels: ['x'] })
    expect(registry.render()).toBe('')
  })

  it('renders help, type and samples', () => {
    const registry = new MetricRegistry()
    const requests = registry.counter({ name: 'lb_x_total', kind: 'counter', help: 'Back\\slash\nline', labels: ['pool', 'node'] })
    requests.with({ pool: 'a', node: 'a/"b"\\\n' }).add(2)
    registry.gauge({ name: 'lb_y', kind: 'gauge', help: 'y', labels: [] }).with({}).set(-0.5)
    expect(registry.render()).toBe(
      '# HELP lb_x_total Back\\\\slash\\nline\n# TYPE lb_x_total counter\nlb_x_total{pool="a",node="a/\\"b\\"\\\\\\n"} 2\n' +
        '# HELP lb_y y\n# TYPE lb_y gauge\nlb_y -0.5\n',
    )
  })

  it('renders cumulative histogram buckets with their sum and count', () => {
    const registry = new MetricRegistry()
    const family = registry.histogram({ name: 'lb_t_seconds', kind: 'histogram', help: 't', labels: ['p'], buckets: [0.1, 1] })
    for (const value of [0.1, 0.5, 7, Number.NaN]) family.with({ p: 'a' }).observe(value)
    expect(registry.render().split('\n').slice(2, -1)).toEqual([
      'lb_t_seconds_bucket{p="a",le="0.1"} 1',
      'lb_t_seconds_bucket{p="a",le="1"} 2',
      'lb_t_seconds_bucket{p="a",le="+Inf"} 3',
      'lb_t_seconds_sum{p="a"} 7.6',
      'lb_t_seconds_count{p="a"} 3',
    ])
  })

  it('refuses one name twice', () => {
    const registry = new MetricRegistry()
    const declaration = { name: 'lb_y', kind: 'gauge', help: 'y', labels: [] } as const
    registry.gauge(declaration)
    expect(() => registry.gauge(declaration)).toThrow(expect.objectContaining({ code: 'LB_METRIC_DUPLICATE' }))
  })

  it('survives any label value: what a strict reader reads is what was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 8 }), (values) => {
        const registry = new MetricRegistry()
        const family = registry.counter({ name: 'lb_x_total', kind: 'counter', help: 'x', labels: ['v'] })
        for (const [index, v] of values.entries()) family.with({ v }).add(index + 1)
        const [read] = parsePrometheus(registry.render())
        expect(read?.samples.map((sample) => [sample.labels['v'], sample.value])).toEqual(values.map((v, index) => [v, index + 1]))
      }),
    )
  })

  it('folds label sets beyond the cap into one called other', () => {
    const family = new MetricFamily({ name: 'lb_x_total', kind: 'counter', help: 'x', labels: ['a', 'b'] }, () => new Counter(), 3)
    for (let index = 0; index < 100; index++) family.with({ a: `a${index}`, b: 'b' }).add()
    expect([...family.entries()].map(({ values, series }) => [values.join(), series.value])).toEqual([
      ['a0,b', 1],
      ['a1,b', 1],
      ['a2,b', 1],
      ['other,other', 97],
    ])
  })

  it('never lets a counter fall', () => {
    const counter = new Counter()
    counter.add(2)
    counter.add(-1)
    expect(counter.value).toBe(2)
  })
})
