/** Each rule of the contract of metrics is shown a metric that breaks it. */
import type { MetricPlugin, JudgedRequest } from '@plimsoll/core/plugin'
import { describe, expect, it } from 'vitest'
import { metricContract } from './index.js'

function metricWith(evaluate: MetricPlugin['evaluate'], over: Partial<MetricPlugin> = {}): MetricPlugin {
  return {
    name: 'tiny',
    summary: 'a tiny metric for this test',
    settings: { type: 'object', additionalProperties: false, properties: { limit: { type: 'number', default: 3 } } },
    evaluate,
    ...over,
  }
}

const fine: MetricPlugin['evaluate'] = ({ samples }) =>
  samples.length === 0 ? null : samples.filter(({ failed }) => failed).length / samples.length

async function broken(metric: MetricPlugin): Promise<string[]> {
  const titles: string[] = []
  for (const { title, run } of metricContract(metric)) await run().catch(() => titles.push(title))
  return titles
}

describe('the contract of metrics', () => {
  it('is kept by one that does as it should', async () => {
    expect(await broken(metricWith(fine))).toEqual([])
    expect(await broken(metricWith(({ host, signal }) => host.get('http://127.0.0.1:1/', { signal }).then(() => 1)))).toEqual([])
  })

  let turn = 0
  it.each<[string, MetricPlugin, RegExp]>([
    ['has a name that no file can say', metricWith(fine, { name: 'Tiny One' }), /says its name/],
    ['says nothing of itself', metricWith(fine, { summary: '' }), /says its name/],
    ['takes any setting without a word', metricWith(fine, { settings: { type: 'object', additionalProperties: true } }), /refuses unknown/],
    ['divides by nothing', metricWith(({ samples }) => samples.filter(({ failed }) => failed).length / samples.length), /finite number/],
    ['answers in words', metricWith(() => 'fine' as unknown as number), /finite number/],
    ['throws what is no Error', metricWith(() => fail()), /finite number/],
    ['sorts the samples in place', metricWith(({ samples }) => ((samples as JudgedRequest[]).reverse(), 1)), /changes nothing/],
    ['draws its own chance', metricWith(() => (turn += 1)), /same of the same/],
    ['waits on after its signal', metricWith(({ signal }) => (signal.aborted ? new Promise(() => undefined) : 1)), /ends soon/],
  ])('is broken by one that %s', async (_what, metric, rule) => {
    expect(await broken(metric)).toContainEqual(expect.stringMatching(rule))
  })
})

function fail(): never {
  // oxlint-disable-next-line no-throw-literal -- that is what the rule is about
  throw 'no idea'
}
