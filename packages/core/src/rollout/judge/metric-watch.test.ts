import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/index.js'
import type { MetricPlan } from '../../topology/index.js'
import { pluginSource, urlSource, type MetricSource } from './metric-source.js'
import { MetricWatch, type MetricReading } from './metric-watch.js'

const plan: MetricPlan = { name: 'stars', url: 'http://m/stars', everyMs: 5_000, min: 4, failures: 0 }

interface Watched {
  readonly clock: FakeClock
  readonly asked: string[]
  readonly last: () => MetricReading | undefined
  readonly watch: MetricWatch
  readonly pass: (ms: number) => Promise<void>
}

function watched(more: Partial<MetricPlan>, answer: (url: string, nth: number) => string | Promise<string>): Watched {
  const asked: string[] = []
  const fetch = async (url: string, signal: AbortSignal) => {
    asked.push(url)
    const gone = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    return Promise.race([answer(url, asked.length), gone])
  }
  const whole = { ...plan, ...more }
  return { ...watchedBy(urlSource(whole, fetch, { old: 'r1', new: 'r2' }), whole), asked }
}

function watchedBy(source: MetricSource, whole: MetricPlan): Omit<Watched, 'asked'> {
  const clock = new FakeClock()
  const readings: MetricReading[] = []
  const watch = new MetricWatch(whole, { clock, source, onReading: (reading) => readings.push(reading) })
  const pass = async (ms: number) => {
    clock.advance(ms)
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  }
  return { clock, last: () => readings.at(-1), watch, pass }
}

describe('a metric by URL', () => {
  it('is good within its limits and bad outside', async () => {
    const { watch, pass, last, asked } = watched({ max: 5 }, (_, nth) => (nth === 1 ? '4.5' : '3.9'))
    watch.start()
    expect(last()).toMatchObject({ verdict: 'undecided', reason: 'stars: nothing was told yet' })
    await pass(0)
    expect(last()).toMatchObject({ canary: 4.5, baseline: null, verdict: 'good', limit: 'at least 4, at most 5' })
    await pass(4_999)
    expect(asked).toHaveLength(1)
    await pass(1)
    expect(last()).toMatchObject({ canary: 3.9, verdict: 'bad', reason: 'stars: is 3.9 (at least 4, at most 5)' })
  })

  it('is told for each revision, where its URL names one', async () => {
    const { watch, pass, last, asked } = watched({ url: 'http://m/{revision}' }, (url) => (url.endsWith('r2') ? '7' : '9'))
    watch.start()
    await pass(0)
    expect(asked).toEqual(['http://m/r2', 'http://m/r1'])
    expect(last()).toMatchObject({ canary: 7, baseline: 9, verdict: 'good' })
  })

  it('is read from JSON by its path, numbers in quotes too', async () => {
    const prometheus = JSON.stringify({ data: { result: [{ value: [1_700_000_000, '4.25'] }] } })
    const { watch, pass, last } = watched({ path: 'data.result.0.value.1' }, () => prometheus)
    watch.start()
    await pass(0)
    expect(last()).toMatchObject({ canary: 4.25, verdict: 'good' })
  })

  it.each([
    ['{"a":1}', 'no number at b in the answer'],
    ['nonsense', 'no number at b in the answer'],
    ['{"b":"NaN"}', 'no number at b in the answer'],
    ['{"b":""}', 'no number at b in the answer'],
  ])('that answers %s counts as bad', async (answer, reason) => {
    const { watch, pass, last } = watched({ path: 'b' }, () => answer)
    watch.start()
    await pass(0)
    expect(last()).toMatchObject({ canary: null, verdict: 'bad', reason: expect.stringContaining(reason) })
  })

  it('bears as many bad answers as its plan says, no answer among them', async () => {
    const { watch, pass, last } = watched({ failures: 2 }, (_, nth) => (nth === 2 ? '5' : Promise.reject(new Error('refused'))))
    watch.start()
    await pass(0)
    expect(last()).toMatchObject({ verdict: 'undecided', reason: 'stars: no answer: refused (at least 4, 1 bad answers and 2 are borne)' })
    await pass(5_000)
    expect(last()).toMatchObject({ verdict: 'good' })
    await pass(5_000)
    expect(last()).toMatchObject({ verdict: 'undecided' })
    await pass(5_000)
    expect(last()).toMatchObject({ verdict: 'bad' })
  })

  it('gives an answer ten seconds', async () => {
    const { watch, pass, last } = watched({}, () => new Promise<string>(() => undefined))
    watch.start()
    await pass(10_000)
    expect(last()).toMatchObject({ verdict: 'bad', reason: expect.stringContaining('no answer within 10 s') })
  })

  it('leaves no timer and tells nothing once it is stopped', async () => {
    const { watch, pass, last, clock } = watched({}, () => '5')
    watch.start()
    watch.stop()
    await pass(60_000)
    expect(last()).toMatchObject({ verdict: 'undecided' })
    expect(clock.pending).toBe(0)
  })
})

describe('a metric by a plugin', () => {
  type Evaluate = NonNullable<Parameters<typeof pluginSource>[1]>
  const by = (evaluate: Evaluate | undefined, more: Partial<MetricPlan> = {}) =>
    watchedBy(pluginSource('stars', evaluate), { name: 'stars', plugin: 'stars', everyMs: 5_000, min: 4, failures: 0, ...more })

  it('is told for both sides', async () => {
    const { watch, pass, last } = by((side) => Promise.resolve(side === 'new' ? 4.5 : 4.25))
    watch.start()
    await pass(0)
    expect(last()).toMatchObject({ canary: 4.5, baseline: 4.25, verdict: 'good', isUntold: false })
  })

  it('is asked again where it is too early, and tells that no number came', async () => {
    let nth = 0
    const { watch, pass, last } = by((side) => (side === 'old' || (nth += 1) < 3 ? null : 5))
    watch.start()
    await pass(0)
    await pass(5_000)
    expect(last()).toMatchObject({ canary: null, verdict: 'undecided', reason: 'stars: nothing was told yet', isUntold: true })
    await pass(5_000)
    expect(last()).toMatchObject({ canary: 5, baseline: null, verdict: 'good', isUntold: false })
  })

  it.each<[string, Evaluate | undefined, string]>([
    ['throws', () => fail('no stars tonight'), 'stars: no answer: no stars tonight'],
    ['rejects', () => Promise.reject(new Error('no key')), 'stars: no answer: no key'],
    ['tells NaN', () => Number.NaN, 'stars: the plugin of stars told no finite number'],
    ['tells Infinity', () => Infinity, 'told no finite number'],
    ['tells words', () => 'five' as unknown as number, 'told no finite number'],
    ['tells nothing', () => undefined as unknown as number, 'told no finite number'],
    ['is not there', undefined, 'stars: this balancer has no metric stars'],
  ])('that %s counts as bad', async (_, evaluate, reason) => {
    const { watch, pass, last } = by(evaluate)
    watch.start()
    await pass(0)
    expect(last()).toMatchObject({ canary: null, verdict: 'bad', reason: expect.stringContaining(reason) })
  })

  it('that never ends, whatever its signal says, is late after ten seconds, and gets no second question', async () => {
    let asked = 0
    const { watch, pass, last } = by(() => ((asked += 1), new Promise<number>(() => undefined)), { failures: 1 })
    watch.start()
    await pass(10_000)
    expect(last()).toMatchObject({ verdict: 'undecided', reason: expect.stringContaining('stars: no answer within 10 s') })
    await pass(5_000)
    expect(last()).toMatchObject({ verdict: 'bad', reason: expect.stringContaining('has not yet answered the last question') })
    expect(asked).toBe(1)
  })

  it('that fails for the old side alone has no number beside it', async () => {
    const { watch, pass, last } = by((side) => (side === 'new' ? 5 : fail('forgotten')))
    watch.start()
    await pass(0)
    expect(last()).toMatchObject({ canary: 5, baseline: null, verdict: 'good' })
  })
})

function fail(message: string): never {
  throw new Error(message)
}
