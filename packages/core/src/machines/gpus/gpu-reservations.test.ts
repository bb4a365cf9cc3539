import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ownIdentity, processIdentity } from '../identity.js'
import { scratchFolder, scriptRunner, until } from '../processes.test.fixture.js'
import { gpuClaimText } from './gpu-claim.js'
import { GpuReservations, type GpuWant } from './gpu-reservations.js'

const scratch = scratchFolder()
const runScript = scriptRunner(scratch)
const want = (keys: readonly string[], facts: Partial<GpuWant> = {}): GpuWant => ({
  keys,
  holder: 'one/chat/gpu',
  mark: 'one/chat/gpu/1',
  share: false,
  needMiB: null,
  ...facts,
})

function desk(folder = join(scratch(), 'gpus')): { reservations: GpuReservations; folder: string } {
  return { reservations: new GpuReservations({ LB_GPU_FOLDER: folder }), folder }
}

async function taken(reservations: GpuReservations, wish: GpuWant) {
  const result = await reservations.take(wish)
  if ('taken' in result) throw new Error(`held by ${result.taken.holder}`)
  return result.hold
}

describe('reservations of GPUs', () => {
  it('belong to one, and name it to the next; released, they are free again', async () => {
    const { reservations } = desk()
    const hold = await taken(reservations, want(['GPU-a', 'GPU-b']))
    expect(await reservations.take(want(['GPU-b'], { holder: 'two/x/y' }))).toMatchObject({ taken: { holder: 'one/chat/gpu' } })
    await taken(reservations, want(['GPU-c']))
    hold.release()
    await taken(reservations, want(['GPU-b', 'GPU-a']))
  })

  it('of several are all or none', async () => {
    const { reservations } = desk()
    await taken(reservations, want(['GPU-b']))
    expect(await reservations.take(want(['GPU-a', 'GPU-b', 'GPU-c']))).toHaveProperty('taken')
    expect((await reservations.living()).map((claim) => claim.key)).toEqual(['GPU-b'])
  })

  it('are shared only where both say so', async () => {
    const { reservations } = desk()
    await taken(reservations, want(['GPU-a'], { share: true, needMiB: 2000 }))
    await taken(reservations, want(['GPU-a'], { share: true, needMiB: 3000 }))
    expect(await reservations.take(want(['GPU-a']))).toHaveProperty('taken')
    expect((await reservations.living()).map((claim) => claim.needMiB)).toEqual(expect.arrayContaining([2000, 3000]))
  })

  it('have one winner among many who want the same at once', async () => {
    const { folder } = desk()
    const results = await Promise.all(Array.from({ length: 12 }, () => desk(folder).reservations.take(want(['GPU-a', 'GPU-b']))))
    expect(results.filter((result) => 'hold' in result)).toHaveLength(1)
    expect(await desk(folder).reservations.living()).toHaveLength(2)
  })

  it('outlive their balancer with the engine, and are found again by its mark', async () => {
    const { reservations, folder } = desk()
    const engine = await runScript('setInterval(() => {}, 1000)')
    const ended = await endedIdentity()
    const file = join(folder, 'GPU-a~0123456789abcdef.json')
    mkdirSync(folder)
    writeFileSync(file, claimText({ balancer: ended, engine: engine.identity }))
    expect(await reservations.take(want(['GPU-a'], { holder: 'two/x/y' }))).toMatchObject({ taken: { holder: 'one/chat/gpu' } })
    expect(await reservations.adopt('one/chat/other/1')).toBeUndefined()
    const adopted = await reservations.adopt('one/chat/gpu/1')
    expect(adopted?.keys).toEqual(['GPU-a'])
    process.kill(engine.identity.pid, 'SIGKILL')
    await engine.exited
    // Until it is released the balancer that took it over clears up.
    expect(await reservations.living()).toHaveLength(1)
    adopted?.hold.release()
    expect(existsSync(file)).toBe(false)
  })

  it('of ended processes count for nothing and are swept away', async () => {
    const { reservations, folder } = desk()
    mkdirSync(folder)
    const own = await ownIdentity()
    writeFileSync(join(folder, 'GPU-a~0123456789abcdef.json'), claimText({ balancer: await endedIdentity() }))
    writeFileSync(join(folder, 'GPU-a~1123456789abcdef.json'), claimText({ balancer: { ...own, startTime: '1' } }))
    writeFileSync(join(folder, 'GPU-a~2123456789abcdef.json'), claimText({ balancer: { ...own, bootId: 'another boot' } }))
    await taken(reservations, want(['GPU-a']))
    await until('only the living one is left', () => readdirSync(folder).length === 1)
  })

  it('that nobody wrote count for nothing: rubbish, pipes, links, large files, foreign names', async () => {
    const { reservations, folder } = desk()
    mkdirSync(folder)
    const own = await ownIdentity()
    const name = (digit: string) => join(folder, `GPU-a~${digit.repeat(16)}.json`)
    writeFileSync(name('0'), '{"v":1,')
    writeFileSync(name('1'), 'null')
    writeFileSync(name('2'), claimText({ balancer: own }).replace('one/chat/gpu"', 'one\\u001b[2J"'))
    writeFileSync(name('3'), claimText({ balancer: own }) + ' '.repeat(100_000))
    makePipe(name('4'))
    writeFileSync(join(folder, 'target'), claimText({ balancer: own }))
    symlinkSync(join(folder, 'target'), name('5'))
    writeFileSync(join(folder, '..passwd'), claimText({ balancer: own }))
    await taken(reservations, want(['GPU-a']))
    expect(await reservations.living()).toHaveLength(1)
  })

  it('stand in a folder that everybody may write and nobody may clear, readable whatever the umask', async () => {
    const { reservations, folder } = desk()
    const before = process.umask(0o077)
    try {
      await taken(reservations, want(['GPU-a']))
    } finally {
      process.umask(before)
    }
    expect(statSync(folder).mode & 0o7777).toBe(0o1777)
    expect(statSync(join(folder, readdirSync(folder)[0] ?? '')).mode & 0o777).toBe(0o644)
  })

  it('are refused where the folder is a file, and the error says what to do', async () => {
    const folder = join(scratch(), 'gpus')
    writeFileSync(folder, '')
    await expect(desk(folder).reservations.take(want(['GPU-a']))).rejects.toMatchObject({
      code: 'LB_GPU_FOLDER',
      hint: expect.stringContaining('LB_GPU_FOLDER') as string,
    })
    expect(await desk(folder).reservations.living()).toEqual([])
  })

  it.skipIf(process.getuid?.() !== 0)(
    'of another user hold, name their owner, and stale ones are not in the way (needs root)',
    async () => {
      const { reservations, folder } = desk()
      await taken(reservations, want(['GPU-z']))
      chmodSync(join(folder, '..'), 0o755)
      const file = join(folder, 'GPU-a~0123456789abcdef.json')
      const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { uid: 65534, gid: 65534 })
      await until('the other runs', async () => (await processIdentity(other.pid ?? 0)) !== undefined)
      const identity = await processIdentity(other.pid ?? 0)
      if (identity === undefined) throw new Error('it does not run')
      const text = claimText({ balancer: identity })
      execFileSync(process.execPath, ['-e', `require('node:fs').writeFileSync(${JSON.stringify(file)}, ${JSON.stringify(text)})`], {
        uid: 65534,
        gid: 65534,
      })
      expect(await reservations.take(want(['GPU-a']))).toMatchObject({ taken: { uid: 65534 } })
      expect(await reservations.adopt('one/chat/gpu/1')).not.toMatchObject({ keys: ['GPU-a'] })
      other.kill('SIGKILL')
      await until('it is gone', async () => (await processIdentity(identity.pid)) === undefined)
      await taken(reservations, want(['GPU-a']))
    },
  )
})

function claimText({ balancer, engine }: { balancer: Awaited<ReturnType<typeof ownIdentity>>; engine?: typeof balancer }): string {
  const claim = { key: 'GPU-a', holder: 'one/chat/gpu', mark: 'one/chat/gpu/1', share: false, needMiB: null, tentative: false, balancer }
  return gpuClaimText(engine === undefined ? claim : { ...claim, engine })
}

/** Without a name of its own: no package brings the command. */
function makePipe(path: string): void {
  execFileSync('/bin/sh', ['-c', 'mkfifo "$0"', path])
}

async function endedIdentity() {
  const ended = await runScript('0')
  await ended.exited
  return ended.identity
}
