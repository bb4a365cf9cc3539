import { get } from 'node:http'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processIdentity } from '../identity.js'
import { reservePort } from '../ports.js'
import { RemoteMachine } from './remote-machine.js'
import { parseSshDestination } from './ssh-destination.js'
import { SshLink } from './ssh-link.js'
import { noSshd, startSshd, type TestSshd } from './sshd.test.fixture.js'

describe('an ssh destination', () => {
  it('is a host with what stands around it', () => {
    expect(parseSshDestination('gpu-1')).toEqual({ host: 'gpu-1' })
    expect(parseSshDestination('ssh://me@10.0.0.7:2222/')).toEqual({ host: '10.0.0.7', user: 'me', port: 2222 })
    expect(parseSshDestination('[fe80::1]:22')).toEqual({ host: 'fe80::1', port: 22 })
  })

  it.each(['-oProxyCommand=x', 'a b', 'me@-x', 'host:0', 'host:99999', '', 'ssh://host/path', 'a@b@c', 'h;ls'])('is not `%s`', (text) => {
    expect(() => parseSshDestination(text)).toThrow(/no address of another machine/)
  })
})

const folder = mkdtempSync(join(tmpdir(), 'lb-ssh-'))
const links: SshLink[] = []
let sshd: TestSshd

function linkTo(at: Pick<TestSshd, 'port' | 'user' | 'options'>): { link: SshLink; machine: RemoteMachine; news: string[] } {
  const news: string[] = []
  const destination = { host: '127.0.0.1', user: at.user, port: at.port }
  const link = new SshLink({
    name: 'gpu',
    destination,
    env: process.env,
    options: at.options,
    onChange: (state) => news.push(state),
  })
  links.push(link)
  return { link, machine: new RemoteMachine(link), news }
}

const until = async (what: string, test: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 60_000
  while (!(await test())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`)
    await sleep(50)
  }
}

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/', agent: false }, (answer) => {
      let text = ''
      answer
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('end', () => resolve(text))
    }).on('error', reject)
  })
}

const tailOf = (log: string): string[] =>
  readFileSync(join(folder, log), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '')

const serve = (port: number): string =>
  `require('http').createServer((q, a) => a.end('pid ' + process.pid)).listen(${port}, '127.0.0.1'); console.log('up')`

describe.skipIf(noSshd !== undefined)(
  `another machine, through a real sshd on loopback${noSshd === undefined ? '' : ` (skipped: ${noSshd})`}`,
  { timeout: 90_000 },
  () => {
    beforeAll(async () => {
      sshd = await startSshd()
    }, 90_000)

    afterAll(() => {
      for (const link of links) link.close()
      sshd.close()
      rmSync(folder, { recursive: true, force: true })
    })

    const spawnNode = (machine: RemoteMachine, script: string, more: { env?: Record<string, string>; log?: string } = {}) =>
      machine.spawn({
        command: process.execPath,
        args: ['-e', script],
        env: more.env ?? {},
        inherited: ['PATH', 'HOME', 'LC_*'],
        logPath: join(folder, more.log ?? 'engine.log'),
      })

    it('starts a process that has only what was declared, logs to a file, and is known by pid, start and boot', async () => {
      const { machine } = linkTo(sshd)
      const secret = `it's "a" $(secret) \`x\`\nwith two lines`
      const { identity } = await spawnNode(machine, `console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000)`, {
        env: { LB_REMOTE_NODE: 'topology/pool/node/env1', KEY: secret },
        log: 'env.log',
      })
      await until('the log', () => tailOf('env.log').length > 0)
      const env = JSON.parse(tailOf('env.log')[0] ?? '') as Record<string, string>
      expect(env['KEY']).toBe(secret)
      expect(
        Object.keys(env).filter(
          (name) => !['PATH', 'HOME', 'KEY', 'LB_REMOTE_NODE', 'PWD', 'OLDPWD', '_', 'SHLVL'].includes(name) && !name.startsWith('LC_'),
        ),
      ).toEqual([])
      // Over there is here: the two ways to name a process agree.
      expect(await processIdentity(identity.pid)).toEqual(identity)
      expect(await machine.stop(identity, 'topology/pool/node/env1', [{ signal: 'SIGTERM', waitMs: 2000 }])).toBe('stopped')
      expect(await processIdentity(identity.pid)).toBeUndefined()
    })

    it('signals no stranger: another start time, another boot', async () => {
      const { machine } = linkTo(sshd)
      const { identity } = await spawnNode(machine, 'setInterval(() => {}, 1000)')
      const steps = [{ signal: 'SIGTERM', waitMs: 1000 }] as const
      expect(await machine.stop({ ...identity, startTime: '12345' }, 'no/such/mark', steps)).toBe('stranger')
      expect(await machine.stop({ ...identity, bootId: 'another' }, 'no/such/mark', steps)).toBe('stranger')
      expect(await processIdentity(identity.pid)).toEqual(identity)
      await machine.stop(identity, 'no/such/mark', steps)
    })

    it('ends a tree three deep with a grandchild that has left the session and one that ignores SIGTERM', async () => {
      const { machine } = linkTo(sshd)
      const leaf = `process.on('SIGTERM', () => {}); console.log('leaf ' + process.pid); setInterval(() => {}, 1000)`
      const child = `const { spawn } = require('child_process'); for (const detached of [true, false]) spawn(process.execPath, ['-e', ${JSON.stringify(leaf)}], { detached, stdio: 'inherit' }); setInterval(() => {}, 1000)`
      const top = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' }); setInterval(() => {}, 1000)`
      const mark = 'topology/pool/node/tree1'
      const { identity } = await spawnNode(machine, top, { env: { LB_REMOTE_NODE: mark }, log: 'tree.log' })
      const leaves = (): string[] => tailOf('tree.log').filter((line) => line.startsWith('leaf'))
      await until('the leaves', () => leaves().length === 2)
      const pids = leaves().map((line) => Number(line.slice(5)))
      const startedMs = performance.now()
      expect(await machine.stop(identity, mark, [{ signal: 'SIGTERM', waitMs: 1000 }])).toBe('forced')
      expect(performance.now() - startedMs).toBeLessThan(5000)
      for (const pid of [identity.pid, ...pids]) expect(await processIdentity(pid)).toBeUndefined()
    })

    it('loses its link and gets it back with the tunnels; what runs over there notices nothing', async () => {
      const { link, machine, news } = linkTo(sshd)
      const [there, here] = [await reservePort(), await reservePort()]
      const { port } = there
      const { identity } = await spawnNode(machine, serve(port))
      const local = here.port
      await link.tunnel(local, port)
      await until('the server', () =>
        ask(local).then(
          (text) => text === `pid ${identity.pid}`,
          () => false,
        ),
      )
      expect(await machine.listening()).toContain(port)
      sshd.stop()
      await until('the loss is seen', () => news.includes('down'))
      await expect(ask(local)).rejects.toThrow()
      await expect(machine.listening()).rejects.toMatchObject({ code: 'LB_SSH_FAILED' })
      await sshd.start()
      await until('the tunnel is back', () =>
        ask(local).then(
          (text) => text === `pid ${identity.pid}`,
          () => false,
        ),
      )
      expect(await processIdentity(identity.pid)).toEqual(identity)
      await machine.stop(identity, 'none', [])
      for (const each of [there, here]) each.release()
    })

    it('says in ssh`s own words why a host cannot be reached, and asks nothing', async () => {
      const { link } = linkTo({ ...sshd, options: [...sshd.options.slice(1), 'IdentityFile=/dev/null', 'IdentityAgent=none'] })
      await expect(link.open()).rejects.toMatchObject({
        code: 'LB_SSH_FAILED',
        message: expect.stringContaining('Permission denied') as string,
      })
    })
  },
)
