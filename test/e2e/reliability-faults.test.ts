/** Short forms of rows a1 and a2 of the promises; the long ones, with nginx and haproxy beside, are test/long/reliability-*.test.ts. */
import { describe, expect, it } from 'vitest'
import { faults, strike, type FaultName } from '../reliability/faults.js'
import type { Fleet } from '../reliability/engines.js'
import type { Strike } from '../reliability/load.js'
import { run, type RunOptions } from '../reliability/run.js'
import { saysItsRoleAndDies, ScriptedEngine } from '../reliability/scripted-engine.js'
import { LbSubject } from '../reliability/subjects.js'

const N = 600
const withoutRetries = '    retries: { max: 0 }'

/** From one request to another, so that a slow machine meets the same. */
function spell(fleet: Fleet, [node, fault]: [node: number, fault: FaultName], [from, to]: [from: number, to: number]): Strike[] {
  const engine = fleet.at(node)
  return [strike(engine, fault, { started: from }), { at: { started: to }, act: () => faults[fault].mend(engine) }]
}

/** One after another on different nodes, the last two at once. */
const oneAfterAnother = (fleet: Fleet): Strike[] => [
  ...spell(fleet, [0, 'RST'], [80, 200]),
  ...spell(fleet, [1, '503 storm'], [200, 300]),
  ...spell(fleet, [2, 'half response'], [300, 400]),
  strike(fleet.at(3), 'kill -9', { started: 450 }),
  strike(fleet.at(0), 'RST', { started: 450 }),
]

const plain: Omit<RunOptions, 'subject'> = {
  // All ask the same: what was at every node that failed is not what made it fail.
  ask: { count: 1, maxTokens: 24 },
  total: N,
  concurrency: 60,
  strikes: oneAfterAnother,
}

describe('four engines of which one after another resets, refuses, halves its answers or is killed, the last two at once', () => {
  it('fail none of 600 plain requests: every answer is the right one', async () => {
    const outcome = await run({ ...plain, subject: LbSubject.start() })
    expect(outcome.examples).toEqual([])
    expect(outcome).toMatchObject({ n: N, whole: N, failed: 0, hung: 0 })
    expect(outcome.retries).toBeGreaterThan(0)
  })

  it('fail some without retries: the negative control', async () => {
    const outcome = await run({ ...plain, subject: LbSubject.start({ pool: withoutRetries }) })
    expect(outcome.failed).toBeGreaterThan(0)
  })
})

describe('an engine that says its role and dies, each time', () => {
  const streams = async (pool: string) => {
    const engine = await ScriptedEngine.start(saysItsRoleAndDies)
    try {
      const subject = LbSubject.start({ engine: 'openai', pool })
      const plan = { subject, engines: { count: 2 }, beside: [engine], ask: { count: 20, maxTokens: 20 } }
      const outcome = await run({ ...plan, total: 60, concurrency: 20, stream: () => true })
      expect(engine.calls).toBeGreaterThan(0)
      return outcome
    } finally {
      await engine.close()
    }
  }

  it('is seen by none of 60 streams: a role is no content', async () => {
    const outcome = await streams('')
    expect(outcome.examples).toEqual([])
    expect(outcome).toMatchObject({ n: 60, failed: 0, fakeDone: 0, hung: 0 })
  })

  it('is seen without retries: the negative control', async () => {
    expect((await streams(withoutRetries)).failed).toBeGreaterThan(0)
  })
})
