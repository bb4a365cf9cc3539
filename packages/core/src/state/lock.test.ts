import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { acquireLock } from './lock.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-lock-'))
const path = join(folder, 'lock')
afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
})

afterAll(() => rmSync(folder, { recursive: true }))

const own = { pid: process.pid, life: 'this' }
const onlyThisLife = (holder: typeof own) => Promise.resolve(holder.life === 'this')

/** Lets Node.js run our sources: their imports name the compiled files. */
const FROM_SOURCE = `data:text/javascript,${encodeURIComponent(
  "import { registerHooks } from 'node:module'; registerHooks({ resolve: (name, context, next) => next(name.startsWith('.') ? name.replace(/\\.js$/, '.ts') : name, context) })",
)}`
const SCRIPT = fileURLToPath(new URL('./lock.test.fixture.ts', import.meta.url))

/** Outcomes of contenders in processes of their own that all claim at one moment and keep what they win. */
async function contend(count: number): Promise<string[]> {
  const contenders = Array.from({ length: count }, () => {
    const child = spawn(process.execPath, ['--import', FROM_SOURCE, SCRIPT, path], { stdio: ['pipe', 'pipe', 'inherit'] })
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
  })
  await Promise.all(contenders.map(({ lines }) => lines.next()))
  for (const { child } of contenders) child.stdin.write('go\n')
  const said = await Promise.all(contenders.map(async ({ lines }) => String((await lines.next()).value)))
  await Promise.all(contenders.map(({ child }) => (child.stdin.end(), once(child, 'exit'))))
  return said
}

describe('the lock of a topology', () => {
  it('names its holder to the second one, and is free after its release', async () => {
    const lock = await acquireLock(path, own, onlyThisLife)
    await expect(acquireLock(path, { pid: 1, life: 'this' }, onlyThisLife)).rejects.toMatchObject({
      code: 'LB_ALREADY_RUNNING',
      message: `this topology is already running (process ${process.pid} keeps it)`,
    })
    lock.release()
    const again = await acquireLock(path, own, onlyThisLife)
    lock.release()
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(own)
    again.release()
    expect(readdirSync(folder)).toEqual([])
  })

  it.each(['', '{"pid":', 'null', JSON.stringify({ pid: process.pid, life: 'earlier' })])(
    'takes over a stale or torn lock file: %s',
    async (text) => {
      writeFileSync(path, text)
      await acquireLock(path, own, onlyThisLife)
      expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(own)
      expect(readdirSync(folder)).toEqual(['lock'])
    },
  )

  it('lets a contender that died while it broke a stale lock stand in nobody’s way', async () => {
    const stale = JSON.stringify({ pid: 2, life: 'earlier' })
    const { createHash } = await import('node:crypto')
    writeFileSync(path, stale)
    writeFileSync(`${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 12)}`, JSON.stringify({ pid: 3, life: 'earlier' }))
    await acquireLock(path, own, onlyThisLife)
    expect(readdirSync(folder)).toEqual(['lock'])
  })

  it.runIf(process.platform === 'linux')(
    'has one winner among 50 processes at once, first on no file, then on a dead one’s',
    { timeout: 180_000 },
    async () => {
      const fresh = await contend(50)
      expect(fresh.filter((said) => said === 'won')).toHaveLength(1)
      expect(fresh.filter((said) => said.startsWith('lost this topology is already running'))).toHaveLength(49)
      // All of the first round have ended: what their winner left is stale now.
      const onStale = await contend(50)
      expect(onStale.filter((said) => said === 'won')).toHaveLength(1)
      expect(onStale.filter((said) => said.startsWith('lost this topology is already running'))).toHaveLength(49)
    },
  )
})
