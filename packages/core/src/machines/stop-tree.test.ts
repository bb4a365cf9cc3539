import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isAlive, scratchFolder, scriptRunner, until, type ScriptProcess } from './processes.test.fixture.js'
import { stopTree } from './stop-tree.js'

const folder = scratchFolder()
const run = scriptRunner(folder)
const mark = () => `test/node/${randomBytes(6).toString('hex')}`
const TERM = [{ signal: 'SIGTERM', waitMs: 10_000 }] as const
const SHORT_TERM = [{ signal: 'SIGTERM', waitMs: 200 }] as const

const STUBBORN =
  "for (const s of ['SIGTERM', 'SIGINT']) process.on(s, () => console.log('got ' + s)); setInterval(() => {}, 1000); console.log('up')"
const POLITE = "process.on('SIGTERM', () => process.exit(3)); setInterval(() => {}, 1000); console.log('up')"
/** Starts a stubborn child; `detached` makes it call setsid. */
const parentOf = (options: { detached: boolean; after: string }) =>
  `const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(STUBBORN)}], { stdio: ['ignore', 'inherit', 'inherit'], detached: ${options.detached} }); console.log('child ' + child.pid + ' .'); ${options.after}`

async function childOf(parent: ScriptProcess): Promise<number> {
  await until('the child is up', () => /child \d+ \./.test(parent.log()) && parent.log().includes('up\n'))
  return Number(/child (\d+)/.exec(parent.log())?.[1])
}

describe.runIf(process.platform === 'linux')('stopping a tree of processes', () => {
  it('asks politely and waits for the end', async () => {
    const engine = await run(POLITE)
    await until('it is up', () => engine.log().includes('up'))
    expect(await stopTree({ identity: engine.identity, mark: mark(), steps: TERM })).toBe('stopped')
    expect(await engine.exited).toEqual({ code: 3, signal: null })
  })

  it('kills what does not listen, after all steps', async () => {
    const engine = await run(STUBBORN)
    await until('it is up', () => engine.log().includes('up'))
    const steps = [{ signal: 'SIGINT', waitMs: 300 }, ...SHORT_TERM] as const
    expect(await stopTree({ identity: engine.identity, mark: mark(), steps })).toBe('forced')
    expect((await engine.exited).signal).toBe('SIGKILL')
    expect(engine.log()).toContain('got SIGINT\ngot SIGTERM')
  })

  it('does not wait for the steps when told to force meanwhile', async () => {
    const engine = await run(STUBBORN)
    await until('it is up', () => engine.log().includes('up'))
    const force = new AbortController()
    const stopping = stopTree({
      identity: engine.identity,
      mark: mark(),
      steps: [{ signal: 'SIGTERM', waitMs: 600_000 }],
      forced: force.signal,
    })
    await until('it was asked', () => engine.log().includes('got SIGTERM'))
    force.abort()
    expect(await stopping).toBe('forced')
  })

  it('ends a child in the same group that ignores the signal', async () => {
    const engine = await run(parentOf({ detached: false, after: 'setInterval(() => {}, 1000)' }))
    const child = await childOf(engine)
    expect(await stopTree({ identity: engine.identity, mark: mark(), steps: SHORT_TERM })).toBe('forced')
    expect(isAlive(child)).toBe(false)
  })

  it('finds a grandchild that called setsid', async () => {
    const name = mark()
    const engine = await run(parentOf({ detached: true, after: 'setInterval(() => {}, 1000)' }), name)
    const child = await childOf(engine)
    await stopTree({ identity: engine.identity, mark: name, steps: SHORT_TERM })
    expect(isAlive(engine.identity.pid)).toBe(false)
    expect(isAlive(child)).toBe(false)
  })

  it('finds by its mark what a dead leader left behind', async () => {
    const name = mark()
    const engine = await run(parentOf({ detached: true, after: 'setTimeout(() => process.exit(0), 300); child.unref()' }), name)
    const child = await childOf(engine)
    await engine.exited
    expect(isAlive(child)).toBe(true)
    expect(await stopTree({ identity: engine.identity, mark: name, steps: [] })).toBe('forced')
    expect(isAlive(child)).toBe(false)
  })

  it('finds in its group what a dead leader left behind without an environment, and leaves a stranger there alone', async () => {
    for (const [env, lives] of [
      ['{}', false],
      ["{ HOME: '/' }", true],
    ] as const) {
      const engine = await run(
        `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env: ${env}, stdio: 'ignore' }); child.unref(); console.log('child ' + child.pid + ' .')`,
      )
      await engine.exited
      const child = Number(/child (\d+)/.exec(engine.log())?.[1])
      await stopTree({ identity: engine.identity, mark: mark(), steps: [] })
      expect(isAlive(child)).toBe(lives)
      if (lives) process.kill(child, 'SIGKILL')
    }
  })

  it('sends nothing to a process that got the pid of a dead one, nor after another boot', async () => {
    const stranger = await run(STUBBORN)
    await until('it is up', () => stranger.log().includes('up'))
    const { identity } = stranger
    expect(await stopTree({ identity: { ...identity, startTime: '1' }, mark: mark(), steps: SHORT_TERM })).toBe('stranger')
    expect(await stopTree({ identity: { ...identity, bootId: 'before' }, mark: mark(), steps: SHORT_TERM })).toBe('stranger')
    expect(isAlive(identity.pid)).toBe(true)
    expect(stranger.log()).not.toContain('got')
  })
})
