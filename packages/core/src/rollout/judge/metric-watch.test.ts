import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/index.js'
import type { MetricPlan } from '../../topology/index.js'
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
  const clock = new FakeClock()
  const asked: string[] = []
  const readings: MetricReading[] = []
  const fetch = async (url: string, signal: AbortSignal) => {
    asked.push(url)
    const gone = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    return Promise.race([answer(url, asked.length), gone])
  }
  const watch = new MetricWatch(
    { ...plan, ...more },
    { clock, fetch, sides: { old: 'r1', new: 'r2' }, onReading: (reading) => readings.push(reading) },
  )
  const pass = async (ms: number) => {
    clock.advance(ms)
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  }
  return { clock, asked, last: () => readings.at(-1), watch, pass }
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
