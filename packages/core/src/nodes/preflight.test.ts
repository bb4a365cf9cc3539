import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { Backend } from '../contracts/index.js'
import { preflight } from './preflight.js'

const dialect: Backend['dialect'] = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' }

function check(backend: Partial<Backend>, clock = new FakeClock(), command = process.execPath) {
  const whole: Backend = { probe: () => Promise.resolve({ verdict: 'ready' }), minProbeIntervalMs: 1, dialect, ...backend }
  return preflight({ backend: whole, engine: 'script', command, path: '/usr/bin:/bin', clock })
}

describe('the check before a launch', () => {
  it('tells what the plugin finds, fit to be shown', async () => {
    const finding = { severity: 'error', kind: 'model-gated', message: 'gated\u001b[31m', hint: 'accept its terms' } as const
    expect(await check({ preflight: () => Promise.resolve([finding]) })).toEqual([{ ...finding, message: 'gated' }])
    expect(await check({})).toEqual([])
  })

  it('only warns of what the plugin finds where the command line is not its own', async () => {
    const finding = { severity: 'error', kind: 'model-missing', message: 'not there', hint: 'look' } as const
    const backend: Backend = {
      probe: () => Promise.resolve({ verdict: 'ready' }),
      minProbeIntervalMs: 1,
      dialect,
      preflight: () => Promise.resolve([finding]),
    }
    const options = { backend, engine: 'script', path: '/usr/bin:/bin', clock: new FakeClock(), isOwnCommandLine: true }
    expect(await preflight({ ...options, command: 'sh' })).toEqual([{ ...finding, severity: 'warning' }])
    expect(await preflight({ ...options, command: 'no-such-engine-here' })).toMatchObject([{ severity: 'error' }, { severity: 'warning' }])
  })

  it('names a plugin that throws or answers nonsense, and stops nothing', async () => {
    const thrown = await check({ preflight: () => Promise.reject(new Error('oops')) })
    expect(thrown).toMatchObject([
      { severity: 'warning', message: expect.stringMatching(/engine `script` failed in its check before the launch: oops/) },
    ])
    const odd = await check({ preflight: () => Promise.resolve(7 as never) })
    expect(odd).toMatchObject([{ severity: 'warning', message: expect.stringContaining('its answer is no list') }])
  })

  it('waits for one that hangs no longer than it may, and cancels it', async () => {
    const clock = new FakeClock()
    let cancelled = false
    const hang = (signal: AbortSignal): Promise<never> => {
      signal.addEventListener('abort', () => (cancelled = true))
      return new Promise(() => undefined)
    }
    const found = check({ preflight: hang }, clock)
    for (let turn = 0; clock.pending === 0 && turn < 100; turn += 1) await Promise.resolve()
    clock.advance(6_000)
    expect(await found).toMatchObject([{ severity: 'warning', message: expect.stringContaining('no answer within 6 s') }])
    expect(cancelled).toBe(true)
  })

  it('finds a command that is not there without asking anybody', async () => {
    expect(await check({}, new FakeClock(), 'no-such-engine-here')).toMatchObject([
      { severity: 'error', kind: 'bad-settings', message: expect.stringContaining('no-such-engine-here') },
    ])
    expect(await check({}, new FakeClock(), 'sh')).toEqual([])
  })
})
