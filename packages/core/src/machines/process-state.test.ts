import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { dossiersOf, glanceAt } from './process-state.js'
import { until } from './processes.test.fixture.js'

describe.runIf(process.platform === 'linux')('what a process does', () => {
  it('is told: stopped or not, and how much its descendants compute', async () => {
    const shell = spawn('sh', ['-c', 'while :; do :; done & wait'], { stdio: 'ignore', detached: true })
    const pid = shell.pid ?? 0
    try {
      await until('the loop computes', () => (glanceAt(pid)?.ticks ?? 0) >= 5)
      expect(dossiersOf(pid)).toHaveLength(2)
      expect(dossiersOf(pid)[0]).toMatchObject({
        pid,
        name: 'sh',
        threads: 1,
        memoryKiB: expect.any(Number),
        state: expect.stringContaining('S'),
      })
      process.kill(pid, 'SIGSTOP')
      await until('it is stopped', () => glanceAt(pid)?.state === 'T')
      expect(dossiersOf(pid)[0]?.state).toContain('stopped')
    } finally {
      process.kill(-pid, 'SIGKILL')
    }
  })

  it('is unknown for one that is not there', () => {
    expect(glanceAt(2 ** 22 + 1)).toBeUndefined()
    expect(dossiersOf(2 ** 22 + 1)).toEqual([])
  })
})
