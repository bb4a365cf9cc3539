import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import { silentLogger } from '../contracts/index.js'
import type { Autoscaler } from './autoscaler.js'
import { LearnedBook, type Learned } from './learned.js'
import { ScaleMemory, type ScaleFacts } from './policy/index.js'
import { record, SmallHouse } from './small-house.test.fixture.js'
import { StartTimes } from './start-times.js'

let folder: string
let autoscaler: Autoscaler | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-learned-'))
})
afterEach(() => {
  autoscaler?.stop()
  autoscaler = undefined
  rmSync(folder, { recursive: true, force: true })
})

const target = { target: { ttftP95Ms: 1_000 } }
const second = (perSecond: number, ttftMs: number, atMs: number): ScaleFacts => ({
  replicas: 1,
  ready: 1,
  others: 0,
  arrivals: perSecond,
  workTokens: 1_000,
  answers: Array.from({ length: perSecond }, () => ({ arrivedAtMs: atMs - ttftMs, ttftMs, computedTokens: 500 })),
  waiting: 0,
  queuedTokens: 0,
  open: perSecond,
  tokensInFlight: 0,
  startMs: 30_000,
  triggers: [],
  floor: 0,
  scheduled: 0,
})

/** One node that is too slow from 12 requests a second on. */
function experienced(): ScaleMemory {
  const memory = new ScaleMemory()
  for (let at = 1; at <= 2_000; at++)
    memory.learn(second(5 + (at % 1_000) / 100, at % 1_000 > 700 ? 3_000 : 100, at * 1_000), target, at * 1_000)
  return memory
}

describe('what was learned of a group', () => {
  it('is the same after it was written and read: what one node bears, and how long it takes', () => {
    const before = experienced()
    expect(before.bearable?.isLimit).toBe(true)
    const after = new ScaleMemory()
    after.recall(JSON.parse(JSON.stringify(before.kept())) as object, 0)
    expect(after.bearable?.isLimit).toBe(true)
    expect(after.bearable?.level).toBeCloseTo(before.bearable?.level ?? 0, -1)
    expect(JSON.stringify(before.kept()).length).toBeLessThan(30_000)
    const starts = new StartTimes()
    starts.recall([20_000, 30_000])
    expect(starts.expectedMs).toBeCloseTo(26_667, -1)
  })

  it('fades with the time that passed meanwhile', () => {
    const after = new ScaleMemory()
    after.recall(experienced().kept(), 10 * 24 * 3_600_000)
    expect(after.bearable).toBeUndefined()
  })

  it('may be nonsense: that is left out', () => {
    const memory = new ScaleMemory()
    const wrong = [null, 7, [1, 2], [1, -1, 0, 1, 1], [0.5, 1, 1, 1, 1], [1, 1e300, 1, 1, 1], ['1', 1, 1, 1, 1], [1, Number.NaN, 1, 1, 1]]
    for (const kept of [{}, { ttft: wrong, queue: 'x', secondsPerToken: -1 }, { ttft: {}, secondsPerToken: '1' }]) memory.recall(kept, 0)
    expect([memory.bearable, memory.kept()]).toEqual([undefined, { ttft: [], queue: [], secondsPerToken: null }])
    const starts = new StartTimes()
    for (const took of [undefined, 'x', [Number.NaN, -1, 'x', 1e12]]) starts.recall(took)
    expect(starts.kept()).toEqual([])
  })

  it('is of one model and one target: another begins anew', () => {
    const clock = new FakeClock()
    const book = new LearnedBook({ clock, log: silentLogger, stateDir: folder })
    const learned = { memory: experienced().kept(), sight: { workTokens: 1, computedTokens: 1, answered: 1 }, starts: [] } satisfies Learned
    book.keep('chat/gpu', 'one', learned)
    book.write(new Set(['chat/gpu']))
    clock.advance(5_000)
    const again = new LearnedBook({ clock, log: silentLogger, stateDir: folder })
    expect(again.recall('chat/gpu', 'another')).toBeUndefined()
    expect(again.recall('chat/gpu', 'one')?.ageMs).toBe(5_000)
    again.write(new Set())
    expect(again.recall('chat/gpu', 'one')).toBeUndefined()
  })

  it('is there for the next balancer, also where the file was torn before', async () => {
    const file = join(folder, 'scale-learned.json')
    writeFileSync(file, '{"v":1,"groups":{"chat/gpu":{"of":"x"')
    const house = await SmallHouse.of({ min: 1, max: 4, target: { queueSeconds: 1 } })
    autoscaler = house.autoscaler(folder)
    await autoscaler.scale('chat', 2)
    await house.pass(25)
    for (let request = 0; request < 50; request++) autoscaler.settled(record('chat/gpu-0', { cachedTokens: 400 }))
    await house.pass(65)
    const { groups } = JSON.parse(readFileSync(file, 'utf8')) as { groups: Record<string, { learned: Learned }> }
    const { starts, sight } = groups['chat/gpu']?.learned ?? expect.fail('nothing was kept')
    expect(starts).toHaveLength(1)
    expect(starts[0]).toBeGreaterThan(15_000)
    expect(sight).toEqual({ workTokens: 300, computedTokens: 100, answered: 50 })
    autoscaler.stop()
    autoscaler = house.autoscaler(folder)
    autoscaler.settled(record('chat/gpu-0', { cachedTokens: 400 }))
    await house.pass(65)
    expect(
      (JSON.parse(readFileSync(file, 'utf8')) as { groups: Record<string, { learned: Learned }> }).groups['chat/gpu']?.learned.sight
        .answered,
    ).toBe(51)
  })
})
