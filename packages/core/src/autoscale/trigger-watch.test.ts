import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import { silentLogger } from '../contracts/index.js'
import type { ScaleTrigger } from '../topology/index.js'
import { TriggerWatch } from './trigger-watch.js'

/** A trigger whose URL answers what the test says. */
class Asked {
  readonly clock = new FakeClock()
  readonly warnings: unknown[] = []
  answer: () => Promise<string> = () => Promise.resolve('7')
  times = 0
  readonly watch: TriggerWatch

  constructor(trigger: Partial<ScaleTrigger> = {}) {
    this.watch = new TriggerWatch(
      { name: 'jobs', kind: 'url', url: 'http://jobs/depth', perReplica: 1, everyMs: 15_000, ...trigger },
      {
        clock: this.clock,
        log: { ...silentLogger, warn: (event) => void this.warnings.push(event) },
        place: 'chat/gpu',
        gpuUse: () => Promise.resolve(undefined),
        fetchText: () => {
          this.times += 1
          return this.answer()
        },
      },
    )
    this.watch.start()
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.clock.advance(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

const failure = (message: string) => () => Promise.reject(new Error(message))

describe('a trigger', () => {
  it.each(['<!DOCTYPE html><html>502', 'NaN', '1e400', 'Infinity', '', '{"depth":3}', 'null'])(
    'takes nothing that is no number: %s',
    async (text) => {
      const asked = new Asked()
      await asked.pass(1)
      asked.answer = () => Promise.resolve(text)
      await asked.pass(20)
      expect(asked.watch.reading()?.value).toBe(7)
      expect(asked.watch.problem).toMatch(/^trigger jobs: the answer is no number: .*; its last value counts for another \d+ s$/)
      expect(asked.warnings).toEqual(['scale.trigger_failed'])
      asked.watch.stop()
    },
  )

  it('that says less than nothing says so', async () => {
    const asked = new Asked()
    asked.answer = () => Promise.resolve('-4')
    await asked.pass(16)
    expect(asked.watch.reading()).toEqual({ name: 'jobs', value: -4, perReplica: 1, isMean: false })
    asked.watch.stop()
  })

  it('that fails for long counts no more, and counts again once it answers', async () => {
    const asked = new Asked()
    await asked.pass(1)
    asked.answer = failure('connection refused')
    await asked.pass(200)
    expect(asked.watch.reading()).toBeUndefined()
    expect(asked.watch.problem).toBe('trigger jobs: connection refused; it asks for nothing')
    asked.answer = () => Promise.resolve('9')
    await asked.pass(20)
    expect([asked.watch.reading()?.value, asked.watch.problem]).toEqual([9, undefined])
    asked.watch.stop()
  })

  it('is asked once in its time, never more often than each second, and no more once it is stopped', async () => {
    const quick = new Asked({ everyMs: 1 })
    await quick.pass(10)
    expect(quick.times).toBeLessThanOrEqual(11)
    quick.watch.stop()
    await quick.pass(10)
    expect(quick.times).toBeLessThanOrEqual(11)
    expect(quick.clock.pending).toBe(0)
  })
})
