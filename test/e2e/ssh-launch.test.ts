/** Part 5 of real engines: a node group on another machine, through a real sshd on loopback. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noSshd, startSshd, type TestSshd } from '../../packages/core/src/machines/ssh/sshd.test.fixture.js'
import { House, type NodeRow } from './house.js'

const keyed = fileURLToPath(new URL('./keyed-server.mjs', import.meta.url))
let sshd: TestSshd
let house: House

const until = async <Value>(what: string, look: () => Promise<Value | undefined>): Promise<Value> => {
  const deadline = performance.now() + 60_000
  for (;;) {
    const value = await look()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`not in time: ${what}\n${JSON.stringify(await house.status(), null, 1)}`)
    await sleep(100)
  }
}

const nodes = async (): Promise<readonly NodeRow[]> => (await house.status()).pools.flatMap((pool) => pool.nodes)
const allAre = (state: string) => async (): Promise<readonly NodeRow[] | undefined> => {
  const rows = await nodes()
  return rows.every((row) => row.state === state) ? rows : undefined
}

/** Pids of simulated engines that carry the mark of a launch over ssh; on loopback the other machine is this one. */
function engines(): number[] {
  const marked = /\0LB_REMOTE_NODE=ssh-test\//
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          marked.test(`\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`) &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('lb-sim-engine')
        )
      } catch {
        return false
      }
    })
}

async function ask(url: string, model = 'sim-8b'): Promise<string> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 4, messages: [{ role: 'user', content: 'hi' }] }),
  })
  return answer.ok ? 'ok' : `${answer.status} ${await answer.text()}`
}

describe.skipIf(noSshd !== undefined || process.platform !== 'linux')(
  `engines on another machine${noSshd === undefined ? '' : ` (skipped: ${noSshd})`}`,
  { timeout: 90_000 },
  () => {
    let url: string

    beforeAll(async () => {
      sshd = await startSshd()
      house = new House(`name: ssh-test
gateway: { listen: 127.0.0.1:0 }
hosts:
  near: { ssh: "${sshd.user}@127.0.0.1:${sshd.port}", sshConfig: ./ssh_config, reach: direct, address: 127.0.0.2 }
  gpu-box: { ssh: "${sshd.user}@127.0.0.1:${sshd.port}", sshConfig: ./ssh_config }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - { name: far, engine: sim, ssh: gpu-box, launch: { replicas: 2, args: { profile: instant }, env: { GREETING: "it's far" } } }
  straight:
    models: [keyed]
    nodes:
      - { name: near, engine: openai, ssh: near, launch: { command: [${process.execPath}, ${keyed}, '\${PORT}', '\${HOST}'] } }
`)
      house.write('ssh_config', `Host *\n${sshd.options.map((option) => `  ${option.replace('=', ' ')}`).join('\n')}\n`)
      url = await house.up()
      await until('all ready', allAre('ready'))
    }, 120_000)

    afterAll(async () => {
      await house.lb(['down', '--force'])
      await house.close()
      sshd.close()
    })

    it('answers through them, and says where they run', async () => {
      expect(await ask(url)).toBe('ok')
      const { pools } = (await house.status()) as { pools: readonly { nodes: readonly { host?: string }[] }[] }
      expect(pools.flatMap((pool) => pool.nodes.map((node) => node.host))).toEqual(['gpu-box', 'gpu-box', 'near'])
      expect(engines()).toHaveLength(2)
      const env = readFileSync(`/proc/${engines()[0]}/environ`, 'utf8').split('\0')
      expect(env).toContain("GREETING=it's far")
      const plan = await house.lb(['plan'])
      expect(plan.stdout).toContain('on gpu-box, over ssh')
    })

    it('reaches one directly, at its address and with a key of its own', async () => {
      expect(await ask(url, 'keyed')).toBe('ok')
      const row = (await nodes()).find((each) => each.id === 'straight/near')
      expect(row?.url).toMatch(/^http:\/\/127\.0\.0\.2:\d+$/)
      expect((await fetch(`${row?.url}/v1/models`)).status).toBe(401)
    })

    it('shows their logs here', async () => {
      const logs = await house.lb(['logs', 'demo/far-0'])
      expect(logs.stdout + logs.stderr).toMatch(/the link to gpu-box stands/)
    })

    it('doubts them when the link is lost, kills nothing, and trusts them when it is back', async () => {
      const before = engines()
      sshd.stop()
      await until('both doubted', async () => ((await nodes()).filter((row) => row.state === 'suspect').length === 2 ? true : undefined))
      expect(engines()).toEqual(before)
      await sshd.start()
      await until('all ready again', allAre('ready'))
      expect(engines()).toEqual(before)
      expect(await ask(url)).toBe('ok')
      expect((await nodes()).map((row) => row.restarts)).toEqual([0, 0, 0])
    })

    it('starts an engine again that was killed over there', async () => {
      const [victim = 0] = engines()
      process.kill(victim, 'SIGKILL')
      await until('a restart', async () => ((await nodes()).some((row) => row.restarts === 1) ? true : undefined))
      await until('all ready', allAre('ready'))
      expect(engines()).not.toContain(victim)
      expect(engines()).toHaveLength(2)
    })

    it('takes them over after a kill -9 of lb, with no restart', async () => {
      const before = engines()
      const { pid } = await house.status()
      const keeper = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
      for (const each of [keeper, pid]) process.kill(each, 'SIGKILL')
      url = await house.up()
      await until('all ready', allAre('ready'))
      expect(engines()).toEqual(before)
      expect(await ask(url)).toBe('ok')
    })

    it('leaves nothing there when it stops', async () => {
      expect((await house.lb(['down'])).code).toBe(0)
      expect(engines()).toEqual([])
    })
  },
)
