import { describe, expect, it } from 'vitest'
import { FakeClock, systemClock } from '../base/index.js'
import { scratchFolder, scriptRunner, until } from './processes.test.fixture.js'
import { watchProcess } from './watch-process.js'

const folder = scratchFolder()
const run = scriptRunner(folder)

describe('watching somebody else’s child', () => {
  it('sees its end without an exit code, at once when asked to look', async () => {
    const { identity } = await run('setInterval(() => {}, 1000)')
    const clock = new FakeClock()
    const watch = watchProcess(identity, clock)
    let ended = false
    void watch.exited.then(() => (ended = true))
    process.kill(identity.pid, 'SIGKILL')
    // No time passes on its clock: only the doubt makes it look.
    await until('it is seen', () => {
      watch.look()
      return ended
    })
    expect(await watch.exited).toEqual({ code: null, signal: null })
    expect(clock.pending).toBe(0)
  })

  it('sees it by itself, too', async () => {
    const { identity } = await run('setTimeout(() => process.exit(3), 100)')
    expect(await watchProcess(identity, systemClock).exited).toEqual({ code: null, signal: null })
  })

  it('looks no more when let go', async () => {
    const { identity } = await run('setInterval(() => {}, 1000)')
    const clock = new FakeClock()
    const watch = watchProcess(identity, clock)
    watch.release()
    watch.look()
    expect(clock.pending).toBe(0)
  })
})
