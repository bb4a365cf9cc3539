import { describe, expect, it } from 'vitest'
import { JudgedPool } from './judged-pool.test.fixture.js'

const ON_TRIAL = 'on trial: one request at a time shows whether it is well again'

describe('a node that was taken out', () => {
  it('stays out whatever its probes say, until its time is over; then one request decides', async () => {
    const pool = new JudgedPool(4)
    pool.inFlight[0] = 2
    pool.tell(0, 'reset', 5)
    for (let probe = 0; probe < 5; probe += 1) pool.at(0).move('steady')
    expect(pool.isOut(0)).toBe(true)
    await pool.pass(1_000)
    expect(pool.at(0).state).toBe('ready')
    expect(pool.at(0).reason).toBe(ON_TRIAL)
    expect(pool.at(0).standing.view).toEqual({ trial: 2 })
    // What it had before its trial ends, and makes no room for others.
    pool.inFlight[0] = 1
    await pool.pass(300)
    expect(pool.at(0).standing.view).toEqual({ trial: 1 })
    pool.tell(0, 'served')
    expect(pool.at(0).standing.view).toEqual({ admission: 0.1 })
  })

  it('is out twice as long each time, up to the longest, and less again after a clean while', async () => {
    const pool = new JudgedPool(4)
    const times: string[] = []
    const fail = (): void => void times.push(/ejected for (.*?):/.exec(pool.at(0).reason ?? '')?.[1] ?? '')
    pool.tell(0, 'reset', 5)
    fail()
    for (let round = 0; round < 6; round += 1) {
      await pool.pass(30_000, 1_000)
      pool.tell(0, 'reset')
      fail()
    }
    expect(times).toEqual(['1 s', '2 s', '4 s', '8 s', '16 s', '30 s', '30 s'])
    await pool.pass(30_000, 1_000)
    pool.tell(0, 'served')
    await pool.pass(4 * 60_000, 1_000)
    pool.tell(0, 'reset', 5)
    fail()
    expect(times.at(-1)).toBe('8 s')
    expect(pool.at(0).reason).toContain('5 failures in a row')
  })

  it('fails its trial by one failure', async () => {
    const pool = new JudgedPool(4)
    pool.tell(0, 'refused', 5)
    await pool.pass(1_000)
    pool.tell(0, 'refused')
    expect(pool.at(0).reason).toBe('ejected for 2 s: its trial failed: connection refused')
  })

  it('is not failed by what is no fault while it is on trial', async () => {
    const pool = new JudgedPool(4)
    pool.tell(0, 'refused', 5)
    await pool.pass(1_000)
    for (const kind of ['busy', 'loading'] as const) pool.tell(0, kind, 3)
    expect(pool.at(0).reason).toBe(ON_TRIAL)
  })

  it('gets a growing share of its requests, then all of them', async () => {
    const pool = new JudgedPool(4, { slowStartMs: 10_000 })
    pool.tell(0, 'reset', 5)
    await pool.pass(1_000)
    pool.tell(0, 'served')
    const shares: (number | undefined)[] = []
    for (let second = 0; second <= 10; second += 1) {
      shares.push(pool.at(0).standing.view.admission)
      await pool.pass(1_000)
    }
    expect(shares).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, undefined, undefined])
    expect(pool.at(0).reason).toBe(null)
    expect(pool.clock.pending).toBe(0)
  })

  it('has all of its requests at once where a slow start is switched off', async () => {
    const pool = new JudgedPool(4, { slowStartMs: 0 })
    pool.tell(0, 'reset', 5)
    await pool.pass(1_000)
    pool.tell(0, 'served')
    expect(pool.at(0).standing.view).toEqual({})
    expect(pool.at(0).reason).toBe(null)
  })

  it('never starts slowly the first time, nor after a restart that was asked for', () => {
    const pool = new JudgedPool(4)
    expect(pool.at(0).standing.view).toEqual({})
    pool.at(0).move('drain', 'restart asked by you')
    pool.at(0).move('stop')
    pool.begin(pool.at(0))
    expect(pool.at(0).standing.view).toEqual({})
  })

  it('starts slowly after its process died, and after its probes failed', () => {
    const pool = new JudgedPool(4)
    pool.at(0).move('fail', 'killed by SIGKILL')
    pool.begin(pool.at(0))
    expect(pool.at(0).standing.view).toEqual({ admission: 0.1 })
    pool.at(1).move('bad', 'no answer')
    pool.at(1).move('good')
    pool.at(1).move('steady')
    expect(pool.at(1).standing.view).toEqual({ admission: 0.1 })
  })

  it('waits for its probes where they fail when its time is over', async () => {
    const pool = new JudgedPool(4)
    pool.tell(0, 'connect-failed', 5)
    pool.at(0).move('bad', 'does not answer (connection refused)')
    expect(pool.at(0).reason).toContain('ejected')
    await pool.pass(5_000)
    expect(pool.at(0).state).toBe('suspect')
    expect(pool.at(0).reason).toBe('does not answer (connection refused)')
    pool.at(0).move('good')
    pool.at(0).move('steady')
    expect(pool.at(0).state).toBe('ready')
    expect(pool.at(0).standing.view).toEqual({ admission: 0.1 })
  })

  it('is drained and resumed by its operator like any other', async () => {
    const pool = new JudgedPool(4)
    pool.tell(0, 'reset', 5)
    pool.at(0).move('drain', 'asked by you')
    await pool.pass(60_000, 1_000)
    expect(pool.at(0).state).toBe('draining')
    pool.at(0).move('resume')
    expect(pool.at(0).state).toBe('ready')
    expect(pool.isOut(0)).toBe(false)
  })

  it('is asked by lb itself first, where its pool wants that: then no client’s request is risked', async () => {
    let wrong: string | undefined = '500'
    const pool = new JudgedPool(4, { canary: () => Promise.resolve(wrong) })
    pool.tell(0, 'reset', 5)
    await pool.pass(1_000)
    expect(pool.at(0).reason).toBe('ejected for 2 s: still not well: 500')
    wrong = undefined
    await pool.pass(2_000)
    expect(pool.at(0).state).toBe('ready')
    expect(pool.at(0).standing.view).toEqual({ admission: 0.1 })
  })

  it('is not well where lb cannot even ask', async () => {
    const pool = new JudgedPool(4, { canary: () => Promise.reject(new Error('connection refused')) })
    pool.tell(0, 'reset', 5)
    await pool.pass(1_000)
    expect(pool.at(0).reason).toBe('ejected for 2 s: still not well: connection refused')
  })

  it('passes its trial while a long answer still comes, once its tokens do', async () => {
    const pool = new JudgedPool(4)
    const gap = { msPerToken: 20, decoding: 1, kvTokens: 100 }
    for (let sample = 0; sample < 40; sample += 1) pool.judge.pace(0, gap)
    pool.tell(0, 'reset', 5)
    pool.inFlight[0] = 1
    await pool.pass(1_000)
    const speak = async (): Promise<void> => {
      for (let sample = 0; sample < 30; sample += 1) {
        pool.judge.pace(0, gap)
        await pool.pass(50)
      }
    }
    await speak()
    // Only what it had before.
    expect(pool.at(0).reason).toBe(ON_TRIAL)
    pool.inFlight[0] = 2
    await speak()
    expect(pool.at(0).standing.view).toEqual({ admission: 0.1 })
  })
})
