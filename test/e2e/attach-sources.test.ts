/** Members of a list, a file, a DNS name and a Kubernetes service, through the real binary. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { DnsServer } from '../../packages/core/src/discovery/dns-server.test.fixture.js'
import { ScriptedKubeApi } from '../../packages/core/src/discovery/kube-api.test.fixture.js'
import { House, until, type NodeRow } from './house.js'

let house: House
const open: (() => void)[] = []

afterEach(async () => {
  await house.close()
  for (const close of open.splice(0)) close()
})

interface Engine {
  readonly port: number
  readonly url: string
}

/** Answers with its own port, on one address of loopback; holds answers while told to. */
async function engine(address = '127.0.0.1', port = 0, hold: () => Promise<void> = () => Promise.resolve()): Promise<Engine> {
  const server: Server = createServer((request, response) => {
    if (request.method === 'GET') response.end('{"data":[{"id":"m"}]}')
    else
      request
        .resume()
        .on(
          'end',
          () => void hold().then(() => response.end(JSON.stringify({ from: address, port: (server.address() as AddressInfo).port }))),
        )
  })
  await new Promise<void>((resolve) => server.listen(port, address, resolve))
  open.push(() => (server.closeAllConnections(), server.close()))
  const bound = (server.address() as AddressInfo).port
  return { port: bound, url: `http://${address}:${bound}` }
}

interface SourceRow {
  readonly members: number
  readonly error: string | null
  readonly updatedAtMs: number | null
}

interface PoolRow {
  readonly nodes: readonly NodeRow[]
  readonly sources: readonly SourceRow[]
}

function declare(attach: string, workers = 1): void {
  house = new House(
    `gateway: { listen: 127.0.0.1:0, workers: ${workers} }\npools: { p: { models: [m], strategy: round-robin, drain: 20s, nodes: [ { name: g, engine: openai, attach: ${attach} } ] } }\n`,
  )
}

const pool = async () => (await house.status()).pools[0] as unknown as PoolRow
const ready = async (): Promise<readonly string[]> => (await pool()).nodes.filter(({ state }) => state === 'ready').map(({ url }) => url)
const source = async (): Promise<SourceRow | undefined> => (await pool()).sources[0]
const readyAre = (...engines: readonly Engine[]): Promise<void> =>
  until(async () => JSON.stringify([...(await ready())].sort()) === JSON.stringify(engines.map(({ url }) => url).sort()), 20_000)

function put(name: string, engines: readonly Engine[]): void {
  writeFileSync(join(house.cwd, `${name}.new`), JSON.stringify(engines.map(({ url }) => ({ url }))))
  renameSync(join(house.cwd, `${name}.new`), join(house.cwd, name))
}

async function ask(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: '{"model":"m","messages":[]}',
  })
  return ((await answer.json()) as { port: number }).port
}

/** Which engines answer, over more requests than there are threads and engines. */
async function answering(url: string): Promise<readonly number[]> {
  return [...new Set(await Promise.all(Array.from({ length: 40 }, () => ask(url))))].sort((a, b) => a - b)
}

const ports = (...engines: readonly Engine[]): readonly number[] => engines.map(({ port }) => port).sort((a, b) => a - b)

describe('attach, through the real binary', () => {
  it('takes a list of URLs: one node each', async () => {
    const [a, b] = [await engine(), await engine()]
    declare(`['${a.url}', '${b.url}']`)
    const url = await house.up()
    expect(await answering(url)).toEqual(ports(a, b))
    expect((await pool()).nodes.map(({ id }) => id)).toEqual([`p/g-127-0-0-1-${a.port}`, `p/g-127-0-0-1-${b.port}`])
  })

  it('follows a file, in every data thread: members join, leave when their requests have ended, and stay while the file is broken', async () => {
    let letGo = (): void => undefined
    const held = new Promise<void>((resolve) => (letGo = resolve))
    let holding = false
    const [a, b] = [await engine('127.0.0.1', 0, () => (holding ? held : Promise.resolve())), await engine()]
    declare('file:members.json', 2)
    put('members.json', [a])
    expect((await house.lb(['plan'])).stdout).toMatch(/= p\/g-127-0-0-1-\d+ .*\n~ p\/g {3}members of file:.*1 now/)
    const url = await house.up()
    expect(await answering(url)).toEqual(ports(a))
    holding = true
    const asked = Promise.all([ask(url), ask(url), ask(url)])
    await until(async () => (await pool()).nodes[0]?.inFlight === 3)
    put('members.json', [b])
    await readyAre(b)
    expect(await answering(url)).toEqual(ports(b))
    letGo()
    expect(await asked).toEqual([a.port, a.port, a.port])
    writeFileSync(join(house.cwd, 'members.json'), '[{"url": ')
    await until(async () => (await source())?.error !== null)
    expect(await answering(url)).toEqual(ports(b))
    expect((await house.lb(['status'])).stdout).toMatch(/g from file:.*1 member, .* ago {3}failing/)
  })

  it('keeps the members over a crash of the balancer while the source is away', async () => {
    const a = await engine()
    declare('file:members.json')
    put('members.json', [a])
    const url = await house.up()
    expect(await ask(url)).toBe(a.port)
    const { pid } = await house.status()
    rmSync(join(house.cwd, 'members.json'))
    process.kill(pid, 'SIGKILL')
    await until(async () => (await house.status().catch(() => ({ pid }))).pid !== pid, 20_000)
    await readyAre(a)
    expect(await ask(url)).toBe(a.port)
    expect((await source())?.error).toBe('there is no such file')
  })

  it('resolves a DNS name again and again', async () => {
    const dns = await new DnsServer().open()
    open.push(() => dns.close())
    const a = await engine('127.0.0.1')
    const b = await engine('127.0.0.2', a.port)
    dns.names = { 'models.test': { a: ['127.0.0.1'] } }
    declare(`{ from: 'dns:models.test:${a.port}', resolver: '${dns.address}', every: 100ms }`)
    await house.up()
    await readyAre(a)
    dns.names = { 'models.test': { a: ['127.0.0.1', '127.0.0.2'] } }
    await readyAre(a, b)
    dns.names = { 'models.test': { code: 2 } }
    await until(async () => (await source())?.error !== null)
    await readyAre(a, b)
    dns.names = { 'models.test': { a: ['127.0.0.2'] } }
    await readyAre(b)
  })

  it('follows the endpoints of a Kubernetes service, in every data thread', async () => {
    const api = await new ScriptedKubeApi({ token: 'sekret' }).open()
    open.push(() => api.close())
    const a = await engine('127.0.0.1')
    const b = await engine('127.0.0.2', a.port)
    api.put('one', ['127.0.0.1'], a.port)
    declare(`{ from: 'kubernetes:ml/vllm', server: '${api.url}', tokenFile: token }`, 2)
    house.write('token', 'sekret\n')
    const url = await house.up()
    await readyAre(a)
    await until(() => api.watching === 1)
    api.put('two', ['127.0.0.2'], a.port)
    await readyAre(a, b)
    api.refusing = 503
    api.endWatches('break')
    await until(async () => (await source())?.error?.includes('503') === true)
    await readyAre(a, b)
    api.refusing = undefined
    api.remove('one')
    await readyAre(b)
    expect(await ask(url)).toBe(b.port)
    expect((await source())?.error).toBeNull()
  })

  it('says before a start what is wrong with a source, all at once', async () => {
    declare(`'dns:models'`)
    const result = await house.lb(['up', '--detach'])
    expect(result.code).not.toBe(0)
    expect(result.stderr).toContain('`dns:models` is no name with a port')
  })
})
