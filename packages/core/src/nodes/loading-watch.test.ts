import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { Backend, LoadingStep } from '../contracts/index.js'
import type { Life } from './life.js'
import { CEILING_FACTOR, LoadingWatch } from './loading-watch.js'

let folder: string
let logPath: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-loading-'))
  logPath = join(folder, 'engine.log')
  writeFileSync(logPath, 'of an earlier life: loading 10 %\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const READY_WITHIN_MS = 8_000
const dialect: Backend['dialect'] = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' }

/** Tells the last `loading N %` of its log. */
function stepIn(logTail: string): LoadingStep | undefined {
  const percent = [...logTail.matchAll(/loading (\d+) %/g)].at(-1)?.[1]
  return percent === undefined ? undefined : { step: 'loading weights', progress: Number(percent) / 100 }
}

function watching(loadingStep: Backend['loadingStep'] = stepIn) {
  const clock = new FakeClock()
  const steps: LoadingStep[] = []
  const late: string[] = []
  let loading = true
  const backend: Backend = {
    probe: () => Promise.resolve({ verdict: 'ready' }),
    minProbeIntervalMs: 1,
    dialect,
    ...(loadingStep === undefined ? {} : { loadingStep }),
  }
  const record = { hash: '', port: 1, extraPorts: [], startedAtMs: 0, logFrom: 34 }
  const identity = { pid: 999_999_999, startTime: '1', bootId: 'b' }
  const life: Life = {
    process: { identity, exited: new Promise(() => undefined) },
    ports: [],
    slot: { host: '127.0.0.1', port: 1, replica: 0, extraPorts: [] },
    mark: 'm',
    logPath,
    record,
    startedAtMs: 0,
    oomKills: undefined,
  }
  const watch = new LoadingWatch({
    life,
    backend,
    clock,
    readyWithinMs: READY_WITHIN_MS,
    isLoading: () => loading,
    onStep: (step) => steps.push(step),
    onLate: (reason) => late.push(reason),
  })
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { watch, clock, steps, late, pass, log: (line: string) => appendFileSync(logPath, `${line}\n`), end: () => (loading = false) }
}

describe('watching a load', () => {
  it('gives up what stands still, and says for how long', async () => {
    const { late, pass, clock } = watching()
    await pass(READY_WITHIN_MS - 500)
    expect(late).toEqual([])
    await pass(2_000)
    expect(late).toEqual(['no progress for 8 s'])
    expect(clock.pending).toBe(0)
  })

  it('waits on while the log tells new steps, and shows them', async () => {
    const { late, pass, steps, log } = watching()
    for (const percent of [20, 40, 60, 80]) {
      log(`loading ${percent} %`)
      await pass(READY_WITHIN_MS - 1_500)
    }
    expect(late).toEqual([])
    expect(steps.at(-1)).toEqual({ step: 'loading weights', progress: 0.8 })
    expect(steps.map(({ progress }) => progress)).not.toContain(0.1)
    await pass(4_000)
    expect(late).toHaveLength(1)
  })

  it('waits on while a plugin that reads no steps has a log that grows, but not for lines about requests', async () => {
    const growing = watching(() => undefined)
    for (let count = 0; count < 4; count += 1) {
      growing.log(`shard ${count}`)
      await growing.pass(READY_WITHIN_MS - 1_500)
    }
    expect(growing.late).toEqual([])
    growing.watch.stop()
    const probed = watching(() => undefined)
    for (let count = 0; count < 12; count += 1) {
      probed.log(`INFO: 127.0.0.1:${40_000 + count} - "GET /health HTTP/1.1" 503`)
      await probed.pass(1_000)
    }
    expect(probed.late).toHaveLength(1)
  })

  it('takes what a probe tells for the first time as progress, not what it tells again', async () => {
    const { watch, late, pass } = watching()
    for (const progress of [0.1, 0.2, 0.3]) {
      watch.heard({ verdict: 'loading', reason: 'weights', progress })
      await pass(READY_WITHIN_MS - 1_500)
    }
    expect(late).toEqual([])
    watch.heard({ verdict: 'loading', reason: 'weights', progress: 0.1 })
    watch.heard({ verdict: 'loading', reason: 'weights', progress: 0.3 })
    await pass(3_000)
    expect(late).toHaveLength(1)
  })

  it('gives up what goes on for ever, however busy', async () => {
    const { late, pass, log } = watching()
    const ceilingMs = READY_WITHIN_MS * CEILING_FACTOR
    for (let passedMs = 0, line = 0; passedMs < ceilingMs + 2_000; passedMs += 2_000, line += 1) {
      log(`still at it ${line}`)
      await pass(2_000)
    }
    expect(late).toEqual([`not ready after ${ceilingMs / 1000} s`])
  })

  it('ends when the node is ready, and survives a plugin that throws or tells nonsense', async () => {
    const thrown = watching(() => {
      throw new Error('broken')
    })
    thrown.log('x')
    await thrown.pass(1_000)
    thrown.end()
    await thrown.pass(READY_WITHIN_MS * 2)
    expect(thrown.late).toEqual([])
    expect(thrown.clock.pending).toBe(0)
    const odd = watching(() => ({ step: 'at it', progress: 7 }))
    odd.log('x')
    await odd.pass(1_500)
    expect(odd.steps.at(-1)).toEqual({ step: 'at it' })
  })
})
