import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import { FaultWindow } from './fault-window.js'
import { defaults, JudgedPool } from './judged-pool.test.fixture.js'
import { TimeOut } from './time-out.js'

const kinds = ['served', 'reset', 'refused', 'busy', 'cut', 'connect-failed'] as const
const happening = fc.oneof(
  fc.record({
    what: fc.constant('tell' as const),
    node: fc.nat(5),
    kind: fc.constantFrom(...kinds),
    times: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ what: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
  fc.record({ what: fc.constant('probe' as const), node: fc.nat(5), event: fc.constantFrom('good', 'steady', 'bad', 'loading') }),
  fc.record({ what: fc.constant('die' as const), node: fc.nat(5) }),
  fc.record({ what: fc.constant('hang' as const), node: fc.nat(5) }),
)

type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

async function happen(pool: JudgedPool, count: number, event: Happening): Promise<void> {
  if (event.what === 'pass') return pool.pass(event.ms, 500)
  const index = event.node % count
  const node = pool.at(index)
  if (event.what === 'tell') return pool.tell(index, event.kind, event.times)
  if (event.what === 'probe') return node.move(event.event as 'good', event.event === 'bad' ? 'no answer' : null)
  if (event.what === 'hang') return void pool.judge.eject(node.id, { kind: 'hung', why: 'no token', lost: 'it hangs' })
  node.move('fail', 'killed')
  pool.begin(node)
}

describe('the judge of nodes, whatever happens', () => {
  it('keeps no more than half of a pool out for failures, and never the last ready node', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(happening, { maxLength: 60 }), async (count, events) => {
        const pool = new JudgedPool(count)
        for (const event of events.filter(({ what }) => what !== 'hang' && what !== 'probe')) {
          await happen(pool, count, event)
          expect(pool.out).toBeLessThanOrEqual(count / 2)
          expect(pool.nodes.some(({ state }) => state === 'ready')).toBe(true)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('lets nobody stay out for ever, leaves nobody on trial for nothing, and no timer behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(happening, { maxLength: 40 }), async (count, events) => {
        const pool = new JudgedPool(count)
        for (const event of events) await happen(pool, count, event)
        for (const node of pool.nodes) node.move('steady')
        await pool.pass(31_000, 500)
        for (const [index, node] of pool.nodes.entries()) {
          node.move('steady')
          pool.tell(index, 'served')
        }
        await pool.pass(61_000, 500)
        expect(pool.nodes.map(({ state, standing }) => ({ state, view: standing.view }))).toEqual(
          pool.nodes.map(() => ({ state: 'ready', view: {} })),
        )
        expect(pool.clock.pending).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  it('never takes out a node that failed less than five times in a row and less often than it may', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 200 }), (bursts) => {
        const faults = new FaultWindow()
        const clock = new FakeClock()
        for (const burst of bursts) {
          for (let time = 0; time < 3; time += 1) {
            clock.advance(37)
            const kind = time < burst ? 'reset' : 'served'
            const told = faults.learn(kind, { reason: 'x', atMs: clock.nowMs(), limits: { ...defaults, share: 0.75 } })
            expect(told).toBeUndefined()
          }
        }
      }),
    )
  })

  it('never counts what is older than the window', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 60_000 }), fc.integer({ min: 1, max: 100 }), (windowMs, failures) => {
        const faults = new FaultWindow()
        const limits = { after: 0, share: 0.5, windowMs }
        for (let time = 0; time < failures; time += 1) faults.learn('reset', { reason: 'x', atMs: 5_000, limits })
        for (let time = 0; time < 9; time += 1)
          expect(faults.learn('reset', { reason: 'x', atMs: 5_000 + 1.1 * windowMs, limits })).toBeUndefined()
      }),
    )
  })

  it('never lets a time out exceed the longest, nor fall below the first', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(600_000), fc.constantFrom('failures', 'slow', 'hung')), { maxLength: 50 }),
        fc.integer({ min: 100, max: 5_000 }),
        fc.integer({ min: 100, max: 60_000 }),
        (waits, firstMs, longestMs) => {
          const timeOut = new TimeOut()
          let nowMs = 0
          for (const [waitMs, kind] of waits) {
            nowMs += waitMs
            const forMs = timeOut.next(kind as 'slow', nowMs, { firstMs, longestMs })
            expect(forMs).toBeGreaterThanOrEqual(firstMs)
            expect(forMs).toBeLessThanOrEqual(Math.max(firstMs, longestMs))
          }
        },
      ),
    )
  })
})
