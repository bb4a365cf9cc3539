import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isSameProcess, ownIdentity, processIdentity } from './identity.js'
import { readProcess } from './process-table.js'
import { scratchFolder, scriptRunner, until } from './processes.test.fixture.js'
import { spawnEngine } from './spawn-engine.js'

const folder = scratchFolder()
const run = scriptRunner(folder)

describe('launching a process', () => {
  it('appends both outputs to the log and tells the exit code', async () => {
    const engine = await run("console.log('out'); console.error('err'); process.exitCode = 7")
    expect(await engine.exited).toEqual({ code: 7, signal: null })
    expect(engine.log()).toBe('out\nerr\n')
  })

  it('gives it the declared environment and nothing of ours', async () => {
    process.env['LB_TEST_SECRET'] = 'canary'
    const engine = await run('console.log(JSON.stringify(process.env))')
    await engine.exited
    delete process.env['LB_TEST_SECRET']
    expect(engine.log()).not.toContain('canary')
    expect(JSON.parse(engine.log())).toMatchObject({ LB_NODE: 'test/none/0', PATH: process.env['PATH'] })
  })

  it('puts it into a group of its own and names its life', async () => {
    const engine = await run('setInterval(() => {}, 1000)')
    const { pid } = engine.identity
    expect((await readProcess(pid))?.groupId).toBe(pid)
    expect(await processIdentity(pid)).toEqual(engine.identity)
    expect(await isSameProcess(engine.identity)).toBe(true)
    expect(await isSameProcess({ ...engine.identity, startTime: '0' })).toBe(false)
    expect(await isSameProcess({ ...engine.identity, bootId: 'other' })).toBe(false)
    process.kill(pid, 'SIGKILL')
    expect(await engine.exited).toEqual({ code: null, signal: 'SIGKILL' })
    await until('it is gone', async () => !(await isSameProcess(engine.identity)))
  })

  it('says which command cannot be started', async () => {
    const request = { command: 'no-such-engine-here', args: [], env: {}, logPath: join(folder(), 'x.log') }
    await expect(spawnEngine(request)).rejects.toMatchObject({
      code: 'LB_CANNOT_LAUNCH',
      message: expect.stringContaining('no-such-engine-here'),
    })
  })

  it('knows itself', async () => {
    expect(await isSameProcess(await ownIdentity())).toBe(true)
  })
})
