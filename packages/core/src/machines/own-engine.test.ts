import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { processIdentity, type ProcessIdentity } from './identity.js'
import { findMarked, markedWith } from './marks.js'
import { proveOwnEngine } from './own-engine.js'
import { scratchFolder, scriptRunner, until } from './processes.test.fixture.js'

const folder = scratchFolder()
const run = scriptRunner(folder)
const STAY = "setInterval(() => {}, 1000); console.log('up')"
const newMark = () => `test/pool/node/${randomBytes(6).toString('hex')}`
const NO_LOG = '/nowhere/at/all.log'

async function why(identity: unknown, mark = 'x'): Promise<string> {
  const proof = await proveOwnEngine({ identity: identity as ProcessIdentity, mark, logPath: NO_LOG })
  return proof.is === 'ours' ? 'ours' : `${proof.is}: ${proof.why}`
}

describe.runIf(process.platform === 'linux')('an engine that was written down', () => {
  it('is ours by pid, start time, boot and its mark', async () => {
    const mark = newMark()
    const { identity } = await run(STAY, mark)
    expect(await why(identity, mark)).toBe('ours')
    expect(await why(identity, newMark())).toMatch(/^stranger: .* does not carry the mark/)
    expect(await why({ ...identity, startTime: '1' }, mark)).toMatch(/^stranger: .* is another one by now/)
    expect(await why({ ...identity, bootId: 'b' }, mark)).toMatch(/^stranger: .* before the machine's last boot/)
    process.kill(identity.pid, 'SIGKILL')
    await until('it is seen as gone', async () => (await why(identity, mark)).startsWith('gone'))
  })

  it('may have written over its environment, where its output still goes to the log of its node', async () => {
    const bare =
      "require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env: {}, stdio: 'inherit' }).pid"
    const parent = await run(`console.log('child ' + ${bare} + ' .'); setInterval(() => {}, 1000)`, newMark())
    await until('the child is named', () => /child \d+ \./.test(parent.log()))
    const identity = await processIdentity(Number(/child (\d+)/.exec(parent.log())?.[1]))
    if (identity === undefined) throw new Error('no child')
    const proof = await proveOwnEngine({ identity, mark: 'any', logPath: parent.logPath })
    expect(proof).toEqual({ is: 'ours' })
    expect(await why(identity, 'any')).toMatch(/does not carry the mark/)
    process.kill(identity.pid, 'SIGKILL')
  })

  it('is never this process, its parent, the first process, or what is no pid at all', async () => {
    const own = await processIdentity(process.pid)
    const parent = await processIdentity(process.ppid)
    const first = await processIdentity(1)
    expect(await why(own)).toMatch(/^stranger: .* is lb itself/)
    expect(await why(parent)).toMatch(/^stranger: .* is lb itself/)
    for (const pid of [first?.pid, 0, -1, -77, 1.5, 2 ** 31, 2 ** 60, Number.NaN, '12', undefined, null])
      expect(await why({ ...own, pid })).toMatch(/^stranger: .* cannot be the pid of an engine/)
    expect(await why({ pid: 4242 })).toBe('stranger: its record is not whole')
  })
})

describe.runIf(process.platform === 'linux')('the search for marks', () => {
  it('finds every living process that carries one, and never this one', async () => {
    const mark = newMark()
    const script = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' }); ${STAY}`
    const { identity, log } = await run(script, mark)
    await until('both run', async () => log().includes('up') && (await markedWith(mark)).length === 2)
    const found = await findMarked((each) => each.startsWith('test/pool/node/') && each === mark)
    expect(found.map(({ row }) => row.pid)).toContain(identity.pid)
    process.env['LB_NODE'] = mark
    expect(readFileSync('/proc/self/stat', 'utf8')).toContain(String(process.pid))
    expect((await markedWith(mark)).map((row) => row.pid)).not.toContain(process.pid)
    delete process.env['LB_NODE']
    expect(await markedWith('')).toEqual([])
    for (const { row } of found) process.kill(row.pid, 'SIGKILL')
  })
})
