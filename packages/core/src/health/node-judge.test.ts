import { describe, expect, it } from 'vitest'
import { JudgedPool } from './judged-pool.test.fixture.js'

describe('the judge of nodes', () => {
  it('takes a node out after five failures in a row, and says why', () => {
    const pool = new JudgedPool(4)
    pool.tell(1, 'reset', 4)
    expect(pool.isOut(1)).toBe(false)
    pool.tell(1, 'reset')
    expect(pool.at(1).state).toBe('suspect')
    expect(pool.at(1).reason).toBe('ejected for 1 s: 5 failures in a row; the last: connection reset')
    expect(pool.at(1).standing.view).toEqual({ ejected: 1 })
  })

  it('forgives failures between successes until they are half of all', async () => {
    const pool = new JudgedPool(4)
    for (let round = 0; round < 20; round += 1) {
      pool.tell(0, 'served', 3)
      pool.tell(0, 'refused', 2)
      await pass100(pool)
    }
    expect(pool.isOut(0)).toBe(false)
    for (let round = 0; round < 40; round += 1) {
      pool.tell(0, 'refused', 2)
      pool.tell(0, 'served')
      await pass100(pool)
    }
    expect(pool.said.join('\n')).toMatch(/ejected for 1 s: \d+ of \d+ requests failed within 10 s; the last: connection refused/)
  })

  it('never counts what is no fault of the node: client errors, 429, loading, silence, and clients that left', () => {
    const pool = new JudgedPool(4)
    for (const kind of ['busy', 'loading', 'timeout', 'hung'] as const) pool.tell(0, kind, 50)
    expect(pool.isOut(0)).toBe(false)
  })

  it('does not count what a former life of the node did', () => {
    const pool = new JudgedPool(4)
    const before = pool.at(0).connectionKey
    pool.at(0).move('fail', 'it ended')
    pool.begin(pool.at(0))
    pool.tell(0, 'reset', 50, before)
    expect(pool.isOut(0)).toBe(false)
    pool.tell(0, 'reset', 4, before)
    pool.tell(0, 'reset', 4)
    expect(pool.isOut(0)).toBe(false)
  })

  it('leaves resets to the supervisor where the process has just ended', async () => {
    const pool = new JudgedPool(4, { launched: true })
    pool.tell(0, 'reset', 20)
    pool.at(0).move('fail', 'killed by SIGKILL')
    await pool.pass(1_000)
    expect(pool.said.filter((line) => line.includes('ejected'))).toEqual([])
    pool.tell(1, 'reset', 20)
    await pool.pass(150)
    expect(pool.isOut(1)).toBe(false)
    await pool.pass(100)
    expect(pool.isOut(1)).toBe(true)
  })

  it('takes out at most half of a pool, and never the last node', () => {
    const pool = new JudgedPool(5)
    for (let index = 0; index < 5; index += 1) pool.tell(index, 'reset', 30)
    expect(pool.out).toBe(2)
    const alone = new JudgedPool(1)
    alone.tell(0, 'reset', 30)
    expect(alone.isOut(0)).toBe(false)
  })

  it('takes out no more than half although others are on trial, and may be out again at once', async () => {
    const pool = new JudgedPool(4)
    for (const index of [0, 1]) pool.tell(index, 'reset', 5)
    await pool.pass(1_100)
    expect(pool.nodes.map(({ standing }) => standing.trial)).toEqual([0, 0, undefined, undefined])
    pool.tell(2, 'reset', 5)
    for (const index of [0, 1]) pool.tell(index, 'reset', 1)
    expect([0, 1, 2, 3].map((index) => pool.isOut(index))).toEqual([true, true, false, false])
  })

  it('asks ejected nodes again when too few others are left, but none that hangs', () => {
    const pool = new JudgedPool(4)
    pool.tell(0, 'reset', 5)
    pool.judge.eject('p/n1', { kind: 'hung', why: 'no token for 30 s', lost: 'it hangs' })
    pool.at(2).move('fail', 'killed')
    expect(pool.isOut(0)).toBe(true)
    pool.at(3).move('fail', 'killed')
    expect(pool.at(0).state).toBe('ready')
    expect(pool.at(0).reason).toBe('its ejection was lifted: too few nodes of its pool are left')
    expect(pool.at(1).standing.view).toEqual({ ejected: 1, lost: 'it hangs' })
  })

  it('takes out a node that hangs whatever share of its pool is out', () => {
    const pool = new JudgedPool(2)
    for (const index of [0, 1]) expect(pool.judge.eject(`p/n${index}`, { kind: 'hung', why: 'no token', lost: 'it hangs' })).toBe(true)
    expect(pool.out).toBe(2)
  })

  it('does nothing where it is switched off', () => {
    const off = new JudgedPool(4, { eject: 'off' })
    off.tell(0, 'reset', 50)
    expect(off.isOut(0)).toBe(false)
    const shareOnly = new JudgedPool(4, { eject: { after: 0 } })
    shareOnly.tell(0, 'reset', 9)
    expect(shareOnly.isOut(0)).toBe(false)
    shareOnly.tell(0, 'reset', 1)
    expect(shareOnly.isOut(0)).toBe(true)
    const neither = new JudgedPool(4, { eject: { after: 0, share: 0 } })
    neither.tell(0, 'reset', 100)
    expect(neither.isOut(0)).toBe(false)
  })

  it('counts ejections by kind for as long as the node is there', () => {
    const pool = new JudgedPool(4)
    pool.tell(0, 'reset', 5)
    pool.judge.eject('p/n0', { kind: 'hung', why: 'no token' })
    expect(pool.judge.ejectionsOf('p/n0')).toEqual({ failures: 1, slow: 0, hung: 1 })
    pool.nodes.splice(0, 1)
    pool.judge.sync()
    expect(pool.judge.ejectionsOf('p/n0')).toBeUndefined()
    expect(pool.judge.eject('p/n0', { kind: 'hung', why: 'no token' })).toBe(false)
  })

  it('keeps no timer when it has stopped', () => {
    const pool = new JudgedPool(4)
    pool.tell(0, 'reset', 5)
    expect(pool.clock.pending).toBe(1)
    pool.judge.stop()
    expect(pool.clock.pending).toBe(0)
  })
})

function pass100(pool: JudgedPool): Promise<void> {
  return pool.pass(100, 100)
}
