import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import { silentLogger, type RequestRecord } from '../contracts/index.js'
import { rolloutDefaults } from '../topology/index.js'
import { Journal } from './journal.js'
import type { RolloutRecord } from './rollout-record.js'
import type { RolloutWorld } from './rollout-world.js'
import { startJudge, type RunningJudge } from './running-judge.js'
import { settledRecord } from './settled-record.test.fixture.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-evidence-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const pairs = [{ from: { source: {} }, to: {} }]
const rollout = (id: string) =>
  ({ id, pool: 'chat', plan: { ...rolloutDefaults }, ground: { old: 'r1', fresh: 'r2', pairs } }) as unknown as RolloutRecord

interface Balancer {
  readonly judge: RunningJudge
  readonly clock: FakeClock
  readonly warned: string[]
}

/** A balancer that begins to judge; one that was before it is gone without a word. */
function balancer(id = 'chat-1', isDiskFull = false): Balancer {
  const clock = new FakeClock()
  const warned: string[] = []
  const log = { ...silentLogger, warn: (event: string) => void warned.push(event) }
  const journal = new Journal(folder)
  const shelf = {
    read: () => journal.evidenceOf(rollout(id)),
    write(judge: object) {
      if (isDiskFull) throw new Error('ENOSPC')
      journal.keepEvidence(rollout(id), judge)
    },
  }
  const world = { clock, log } as unknown as RolloutWorld
  const judge = startJudge(rollout(id), world, { onNews: () => undefined, freshNodes: () => [], shelf })
  judge.step()
  return { judge, clock, warned }
}

let nth = 0

function recordOf(revision: string, failed: boolean, ttftMs: number): RequestRecord {
  nth += 1
  const attempt = { node: `chat/${revision}`, startedMs: 0, revision } as const
  const ended = failed ? ({ outcome: 'refused', status: 500 } as const) : ({ outcome: 'answered' } as const)
  return settledRecord({ ...attempt, ...ended }, { id: `x${nth}`, pool: 'chat', ttftMs: failed ? null : ttftMs + (nth % 7) })
}

/** One of the new revision after every two of the old one; how many it took until it was called bad, or all. */
function traffic({ judge, clock }: Balancer, count: number, canary: { readonly failed?: boolean; readonly ttftMs?: number } = {}): number {
  for (let turn = 1; turn <= count; turn += 1) {
    clock.advance(200)
    for (let old = 0; old < 2; old += 1) judge.add(recordOf('r1', false, 100), false)
    if (judge.add(recordOf('r2', canary.failed ?? false, canary.ttftMs ?? 100), false)) return turn
  }
  return count
}

describe('what a judge has seen', () => {
  it('is taken up by the next balancer, figures and all', () => {
    const first = balancer()
    traffic(first, 40)
    traffic(first, 3, { failed: true })
    first.clock.advance(10_000)
    const next = balancer()
    expect(next.judge.isTakenUp).toBe(true)
    const told = ({ judge }: Balancer) =>
      judge.report().figures.map(({ name, confidence, verdict }) => [name, verdict, confidence?.toFixed(6)])
    expect(told(next)).toEqual(told(first))
    expect(next.judge.report().figures[2]?.canary).toBeCloseTo(first.judge.report().figures[2]?.canary ?? 0, 1)
    expect(next.judge.report()).toMatchObject({ canaryRequests: 43, baselineRequests: 86 })
  })

  it.each([
    ['failures', { failed: true }, 3],
    ['slow first tokens', { ttftMs: 300 }, 15],
  ])('makes the next one as sure of %s as one that saw it all', (_, canary, before) => {
    const anew = traffic(balancer('chat-9'), 100, canary)
    const first = balancer()
    traffic(first, before, canary)
    first.clock.advance(10_000)
    const left = traffic(balancer(), 100, canary)
    expect(anew).toBeGreaterThan(before)
    // A node that a new balancer has never seen may be cold: the times of what begins before its first eight requests have ended do not count.
    expect(left).toBeLessThan(anew)
    expect(before + left).toBeLessThanOrEqual(anew + 11)
  })

  it('is written at most every ten seconds, when a balancer ends, and not where nothing was seen', () => {
    const { judge, clock } = balancer()
    const file = join(folder, 'rollout-evidence', 'chat.json')
    clock.advance(60_000)
    expect(() => statSync(file)).toThrow(/ENOENT/)
    judge.add(recordOf('r2', false, 100), false)
    clock.advance(9_999)
    expect(() => statSync(file)).toThrow(/ENOENT/)
    clock.advance(1)
    const written = readFileSync(file, 'utf8')
    clock.advance(60_000)
    expect(clock.pending).toBe(0)
    judge.add(recordOf('r2', false, 100), false)
    judge.leave()
    expect(readFileSync(file, 'utf8')).not.toBe(written)
    judge.add(recordOf('r2', false, 100), false)
    expect(clock.pending).toBe(0)
  })

  it.each<[string, (file: string) => void]>([
    ['is torn', (file) => truncateSync(file, 500)],
    ['is empty', (file) => writeFileSync(file, '')],
    ['is of another rollout', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('chat-1', 'chat-2'))],
    ['is of another shape', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('"sets":', '"set":'))],
    [
      'holds no number where there must be one',
      (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/"purse":[^,]+,/, '"purse":null,')),
    ],
    ['holds what is no finite number', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/"canary":\d+/, '"canary":1e999'))],
    ['is a list', (file) => writeFileSync(file, '[]')],
  ])('begins anew where its file %s', (_, spoil) => {
    const first = balancer()
    traffic(first, 5, { failed: true })
    first.clock.advance(10_000)
    spoil(join(folder, 'rollout-evidence', 'chat.json'))
    const next = balancer()
    expect(next.judge.isTakenUp).toBe(false)
    expect(next.judge.report()).toMatchObject({ canaryRequests: 0, baselineRequests: 0 })
    expect(traffic(next, 100, { failed: true })).toBeLessThan(30)
  })

  it('costs the memory alone where the disk takes nothing', () => {
    const first = balancer('chat-1', true)
    traffic(first, 5)
    first.clock.advance(10_000)
    expect(first.warned).toEqual(['rollout.evidence_not_kept'])
    expect(first.judge.report().canaryRequests).toBe(5)
  })

  it('is gone once it is to be forgotten', () => {
    const first = balancer()
    traffic(first, 5)
    first.judge.leave()
    const journal = new Journal(folder)
    journal.forget({ pool: 'chat' })
    journal.forget({ pool: 'chat' })
    expect(balancer().judge.isTakenUp).toBe(false)
  })

  it('stays small, however much was seen', () => {
    const first = balancer()
    for (let round = 0; round < 20; round += 1) {
      first.judge.step()
      for (let turn = 0; turn < 300; turn += 1) first.judge.add(recordOf(turn % 20 === 0 ? 'r2' : 'r1', false, 100 + turn), false)
    }
    first.judge.leave()
    expect(statSync(join(folder, 'rollout-evidence', 'chat.json')).size).toBeLessThan(200_000)
  })
})

describe('a judge whose clock is set', () => {
  it.each([-3_600_000, 3_600_000])('by %i ms sees all that comes after', (byMs) => {
    const { judge, clock } = balancer()
    const steps = [clock.epochMs(), clock.epochMs() + byMs]
    judge.step()
    let needed = 0
    for (let turn = 0; turn < 30; turn += 1) {
      clock.advance(500)
      const arrivedAtMs = (steps[1] as number) + clock.nowMs() - 500
      for (let old = 0; old < 2; old += 1) judge.add({ ...recordOf('r1', false, 100), arrivedAtMs }, false)
      needed = turn
      if (judge.add({ ...recordOf('r2', true, 100), arrivedAtMs }, false)) break
    }
    expect(needed).toBeLessThan(20)
  })
})
