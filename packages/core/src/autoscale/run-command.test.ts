import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../base/index.js'
import { runCommand, type CommandEnd } from './run-command.js'

const run = (script: string, timeoutMs = 60_000): Promise<CommandEnd> =>
  runCommand({ command: ['sh', '-c', script], env: process.env, clock: systemClock, timeoutMs })

/** Zombies do not count. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe.runIf(process.platform === 'linux')('a command of the operator', () => {
  it('is over when it ends, though what it left in the background holds its output', async () => {
    const end = await run('sleep 300 & echo $! >&2')
    expect(end).toMatchObject({ how: 'exit', code: 0 })
    const pid = Number(end.said)
    expect(isRunning(pid)).toBe(true)
    process.kill(pid)
  })

  it('is ended after its time, with all that it started', async () => {
    const end = await run('sleep 300 & echo $! >&2; wait', 500)
    expect(end.how).toBe('timeout')
    await expect.poll(() => isRunning(Number(end.said)), { timeout: 5_000 }).toBe(false)
  })

  it('may say as much as it likes; the end of it is kept', async () => {
    const end = await run('head -c 5000000 /dev/zero | tr "\\0" x >&2; echo >&2; echo no more machines >&2; exit 3')
    expect(end).toMatchObject({ how: 'exit', code: 3 })
    expect(end.said.endsWith('no more machines')).toBe(true)
    expect(end.said.length).toBeLessThanOrEqual(300)
  })

  it('may be none, or be ended by a signal', async () => {
    const none = await runCommand({ command: ['/no/such/thing'], env: {}, clock: systemClock, timeoutMs: 1_000 })
    expect(none).toEqual({ how: 'not-started', code: 'ENOENT', said: '' })
    expect(await run('kill -9 $$')).toMatchObject({ how: 'signal', code: 'SIGKILL' })
  })
})
