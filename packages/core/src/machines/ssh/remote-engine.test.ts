import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processIdentity } from '../identity.js'
import { reservePort, type PortReservation } from '../ports.js'
import { remoteEngineMain } from '../remote-engine-path.js'
import type { RemoteEngineOrder } from './remote-engine.js'
import { noSshd, startSshd, type TestSshd } from './sshd.test.fixture.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-re-'))
const statePath = `.plimsoll-test-${process.pid}/chat.gpu`
const children: StandIn[] = []
const ports: PortReservation[] = []
let sshd: TestSshd

interface StandIn {
  readonly child: ChildProcess
  said: string
  readonly ended: Promise<number | null>
}

const engine = (port: number): string =>
  `require('http').createServer((q, a) => a.end(String(process.pid))).listen(${port}, '127.0.0.1'); console.log('engine says ' + process.env.KEY); let n = 0; setInterval(() => console.log('tick ' + n++), 200)`

function order(more: Partial<RemoteEngineOrder> = {}): RemoteEngineOrder {
  const [here = 0, there = 0] = ports.map((each) => each.port)
  return {
    host: 'gpu',
    destination: { host: '127.0.0.1', user: sshd.user, port: sshd.port },
    options: sshd.options,
    command: process.execPath,
    args: ['-e', engine(there)],
    env: { KEY: 'se cret', LB_REMOTE_NODE: 'demo/chat/gpu/abc' },
    inherited: ['PATH', 'HOME'],
    port: here,
    remotePort: there,
    mark: 'demo/chat/gpu/abc',
    hash: 'h1',
    statePath,
    steps: [{ signal: 'SIGTERM', waitMs: 3000 }],
    ...more,
  }
}

/** The stand-in as the runner starts it: a process of its own, its order in the environment. */
function start(what: RemoteEngineOrder): StandIn {
  const env = { ...process.env, LB_REMOTE_ENGINE: JSON.stringify(what) }
  const child = spawn(process.execPath, [remoteEngineMain], { env, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const standIn: StandIn = { child, said: '', ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))) }
  child.stdout?.setEncoding('utf8').on('data', (part: string) => (standIn.said += part))
  children.push(standIn)
  return standIn
}

const until = async (what: string, test: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 60_000
  while (!(await test())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}\n${children.map((each) => each.said).join('\n---\n')}`)
    await sleep(50)
  }
}

/** Pid of the engine that answers at our port; undefined while none does. */
function answering(): Promise<number | undefined> {
  return new Promise((resolve) => {
    get({ port: ports[0]?.port ?? 0, host: '127.0.0.1', agent: false, timeout: 2000 }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('close', () => resolve(text === '' ? undefined : Number(text)))
    }).on('error', () => resolve(undefined))
  })
}

async function untilAnswers(): Promise<number> {
  let pid: number | undefined
  await until('an answer', async () => (pid = await answering()) !== undefined)
  return pid ?? 0
}

describe.skipIf(noSshd !== undefined)(
  `the stand-in of a remote engine, through a real sshd${noSshd === undefined ? '' : ` (skipped: ${noSshd})`}`,
  { timeout: 90_000 },
  () => {
    beforeAll(async () => {
      sshd = await startSshd()
      ports.push(await reservePort(), await reservePort())
    }, 90_000)

    afterAll(async () => {
      for (const { child, ended } of children) {
        child.kill('SIGINT')
        await Promise.race([ended, sleep(5000)])
        child.kill('SIGKILL')
      }
      sshd.close()
      for (const port of ports) port.release()
      rmSync(folder, { recursive: true, force: true })
      rmSync(dirname(join(homedir(), statePath)), { recursive: true, force: true })
    })

    it('starts it, writes its log, joins its port to ours, and ends it when told', async () => {
      const standIn = start(order())
      const pid = await untilAnswers()
      await until('its log', () => /engine says se cret\n(.*\n)*tick 3\n/.test(standIn.said))
      expect(await processIdentity(pid)).toBeDefined()
      standIn.child.kill('SIGTERM')
      expect(await standIn.ended).toBe(0)
      expect(await processIdentity(pid)).toBeUndefined()
      expect(standIn.said).toContain('was ended (stopped)')
    })

    it('ends with the engine, its last words written', async () => {
      const standIn = start(order({ args: ['-e', `console.error('out of memory, sorry'); process.exitCode = 1`] }))
      expect(await standIn.ended).toBe(1)
      expect(standIn.said).toMatch(/out of memory, sorry\n[^]*has ended/)
    })

    it('outlives a lost link: the engine runs on, its log is caught up, its port comes back', async () => {
      const standIn = start(order())
      const pid = await untilAnswers()
      await until('some ticks', () => standIn.said.includes('tick 2\n'))
      sshd.stop()
      await until('the loss', () => standIn.said.includes('is down'))
      expect(await answering()).toBeUndefined()
      await sleep(1000)
      await sshd.start()
      expect(await untilAnswers()).toBe(pid)
      await until('the ticks meanwhile', () => standIn.said.includes('tick 12\n'))
      const ticks = [...standIn.said.matchAll(/^tick (\d+)$/gm)].map(([, number]) => Number(number))
      expect(ticks).toEqual(ticks.map((_, index) => index))
      standIn.child.kill('SIGTERM')
      expect(await standIn.ended).toBe(0)
      expect(await processIdentity(pid)).toBeUndefined()
    })

    it('takes over the engine of a stand-in that was killed, and ends one that was started otherwise', async () => {
      const first = start(order())
      const pid = await untilAnswers()
      first.child.kill('SIGKILL')
      await first.ended
      await until('the tunnel is gone', async () => (await answering()) === undefined)
      const second = start(order({ mark: 'demo/chat/gpu/def' }))
      expect(await untilAnswers()).toBe(pid)
      expect(second.said).toContain('took over')
      second.child.kill('SIGKILL')
      await second.ended
      await until('the tunnel is gone', async () => (await answering()) === undefined)
      const third = start(order({ mark: 'demo/chat/gpu/ghi', hash: 'h2' }))
      const other = await untilAnswers()
      expect(other).not.toBe(pid)
      expect(await processIdentity(pid)).toBeUndefined()
      third.child.kill('SIGINT')
      expect(await third.ended).toBe(0)
      expect(await processIdentity(other)).toBeUndefined()
    })

    it('says that its port is taken over there in words that are understood', async () => {
      const standIn = start(order({ remotePort: sshd.port }))
      expect(await standIn.ended).toBe(1)
      expect(standIn.said).toContain('EADDRINUSE')
    })

    it('does not wait for a host that refuses it', async () => {
      const standIn = start(order({ options: [...sshd.options.slice(1), 'IdentityFile=/dev/null', 'IdentityAgent=none'] }))
      expect(await standIn.ended).toBe(1)
      expect(standIn.said).toContain('Permission denied')
    })
  },
)
