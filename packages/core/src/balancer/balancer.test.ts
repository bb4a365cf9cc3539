import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TopologyInput } from '../topology/index.js'
import type { Balancer } from './create-balancer.js'
import { ask, pluginOf, smallTown } from './town.test.fixture.js'

const { engine, balancerOf: balancerWith } = smallTown()
const plugin = pluginOf('test')
const balancerOf = (topology: TopologyInput): Balancer => balancerWith({ topology, engines: [plugin] })

const pool = (nodes: { name: string; attach: string; weight?: number }[]): TopologyInput => ({
  name: 'test',
  pools: { p: { models: ['m'], strategy: 'round-robin', nodes: nodes.map((node) => ({ engine: 'test', ...node })) } },
})

describe('a balancer', () => {
  it('says that it is not started, starts once, and answers', async () => {
    const balancer = balancerOf(pool([{ name: 'a', attach: await engine('a') }]))
    expect((await ask(balancer)).status).toBe(503)
    expect(() => balancer.status()).toThrow(/not started/)
    await balancer.start()
    expect(await ask(balancer)).toEqual({ status: 200, text: '{"name":"a"}' })
    await expect(balancer.start()).rejects.toThrow(/already/)
    expect(balancer.status()).toMatchObject({
      name: 'test',
      state: 'serving',
      pools: [{ nodes: [{ id: 'p/a', state: 'ready', host: '127.0.0.1', requests: 1, inFlight: 0 }] }],
    })
    expect(balancer.requests(1)[0]).toMatchObject({ outcome: 'ok', node: 'p/a' })
    expect(balancer.metrics()).toMatch(/lb_requests_total\{[^}]*node="p\/a"[^}]*\} 1/)
  })

  it('asks engines behind unix sockets, probes too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lb-unix-'))
    const balancer = balancerOf(pool([{ name: 'a', attach: await engine('there', { path: join(folder, 'engine.sock') }) }]))
    await balancer.start()
    expect(await ask(balancer)).toEqual({ status: 200, text: '{"name":"there"}' })
    expect(balancer.status()).toMatchObject({ pools: [{ nodes: [{ state: 'ready', host: 'here' }] }] })
    rmSync(folder, { recursive: true, force: true })
  })

  it('refuses a wrong topology and starts nothing', async () => {
    const balancer = balancerOf(pool([{ name: 'a', attach: 'ftp://nowhere' }]))
    await expect(balancer.start()).rejects.toMatchObject({ code: 'LB_TOPOLOGY_INVALID' })
    expect(() => balancer.status()).toThrow(/not started/)
  })

  it('lives beside another one in the same process', async () => {
    const [one, two] = [
      balancerOf(pool([{ name: 'a', attach: await engine('one') }])),
      balancerOf(pool([{ name: 'a', attach: await engine('two') }])),
    ]
    await Promise.all([one.start(), two.start()])
    expect([(await ask(one)).text, (await ask(two)).text]).toEqual(['{"name":"one"}', '{"name":"two"}'])
  })
})

describe('reload', () => {
  it('keeps what is unchanged, adds, removes, and changes weights in place', async () => {
    const [a, b, c] = [await engine('a'), await engine('b'), await engine('c')]
    const balancer = balancerOf(
      pool([
        { name: 'a', attach: a },
        { name: 'b', attach: b },
      ]),
    )
    await balancer.start()
    const since = balancer.status().pools[0]?.nodes[0]?.sinceMs
    const diff = await balancer.reload(
      pool([
        { name: 'a', attach: a, weight: 3 },
        { name: 'c', attach: c },
      ]),
    )
    expect(diff.changed).toBe(true)
    await expect
      .poll(() => balancer.status().pools[0]?.nodes.map((node) => [node.id, node.state, node.weight]))
      .toEqual([
        ['p/a', 'ready', 3],
        ['p/c', 'ready', 1],
      ])
    expect(balancer.status().pools[0]?.nodes[0]?.sinceMs).toBe(since)
    const answers = []
    for (let index = 0; index < 8; index += 1) answers.push((await ask(balancer)).text)
    expect(answers.filter((text) => text.includes('"a"'))).toHaveLength(6)
  })

  it('changes nothing when the new topology is wrong', async () => {
    const balancer = balancerOf(pool([{ name: 'a', attach: await engine('a') }]))
    await balancer.start()
    await expect(balancer.reload({ pools: { p: { nodes: [] } } })).rejects.toMatchObject({ code: 'LB_TOPOLOGY_INVALID' })
    expect((await ask(balancer)).status).toBe(200)
  })
})

describe('close', () => {
  it('waits for what is running and refuses what is new', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const balancer = balancerOf(pool([{ name: 'slow', attach: await engine('slow', { hold: promise }) }]))
    await balancer.start()
    const running = ask(balancer)
    await expect.poll(() => balancer.status().pools[0]?.inFlight).toBe(1)
    let closed = false
    const closing = balancer.close({ drainMs: 10_000 }).then(() => (closed = true))
    expect(await ask(balancer)).toMatchObject({ status: 503, text: expect.stringContaining('LB_DRAINING') as string })
    expect(closed).toBe(false)
    resolve()
    expect((await running).text).toContain('slow')
    await closing
  })
})

describe('drain and resume', () => {
  it('take a node out and bring it back', async () => {
    const balancer = balancerOf(
      pool([
        { name: 'a', attach: await engine('a') },
        { name: 'b', attach: await engine('b') },
      ]),
    )
    await balancer.start()
    await expect.poll(() => balancer.status().pools[0]?.nodes.every((node) => node.state === 'ready')).toBe(true)
    balancer.drain('p/a')
    const answers = []
    for (let index = 0; index < 4; index += 1) answers.push((await ask(balancer)).text)
    expect(answers.every((text) => text.includes('"b"'))).toBe(true)
    await balancer.resume('p/a')
    await expect.poll(async () => (await ask(balancer)).text).toContain('"a"')
    await expect((async () => balancer.restart('p/a'))()).rejects.toThrow(/attached/)
    await expect((async () => balancer.drain('p/none'))()).rejects.toThrow(/no node/)
  })
})

describe('a pool that is steered', () => {
  it('has other routes and nodes at once, also where the key file is gone meanwhile, and a reload tells that', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lb-steered-'))
    const keyFile = join(folder, 'key')
    writeFileSync(keyFile, 'secret')
    const { pools } = pool([{ name: 'a', attach: await engine('a') }])
    const topology: TopologyInput = { name: 'test', gateway: { apiKeys: [{ file: keyFile }] }, pools }
    const balancer = balancerOf(topology)
    await balancer.start()
    rmSync(folder, { recursive: true })
    const { plans } = balancer.steering()
    const [a] = plans.poolOf('p').groups
    if (a === undefined) throw new Error('a pool without groups')
    const b = { ...a, name: 'b', revision: 'r2', revisionOf: 'a', attach: { url: await engine('b') } }
    const sides = [
      { revision: 'r1', share: 0 },
      { revision: 'r2', share: 1 },
    ]
    await plans.change('p', { groups: [{ ...a, revision: 'r1' }, b], split: { sides, sticky: false, watch: false } })
    await expect.poll(() => balancer.status().pools[0]?.nodes.map(({ id, state }) => `${id} ${state}`)).toEqual(['p/a ready', 'p/b ready'])
    for (let index = 0; index < 4; index += 1) expect(await ask(balancer, 'm', 'secret')).toEqual({ status: 200, text: '{"name":"b"}' })
    expect((await ask(balancer, 'm', 'wrong')).status).toBe(401)
    await plans.change('p', undefined)
    expect(await ask(balancer, 'm', 'secret')).toEqual({ status: 200, text: '{"name":"a"}' })
    await expect(balancer.reload(topology)).rejects.toMatchObject({ code: 'LB_SECRET_MISSING' })
  })
})

describe('a revision that went live', () => {
  const written = (attach: string, more: object = {}): TopologyInput => ({
    name: 'test',
    pools: { p: { models: ['m'], nodes: [{ name: 'a', engine: 'test', attach, ...more }] } },
  })

  it('stays as it runs when the file says it at last, and when the file says something else of its pool', async () => {
    const [old, fresh] = [await engine('old'), await engine('fresh')]
    const balancer = balancerOf(written(old))
    await balancer.start()
    const { plans } = balancer.steering()
    const [a] = plans.poolOf('p').groups
    if (a === undefined) throw new Error('a pool without groups')
    await plans.change('p', { groups: [{ ...a, name: 'a-r2', revision: 'r2', revisionOf: 'a', attach: { url: fresh } }] })
    await expect.poll(async () => (await ask(balancer)).text).toBe('{"name":"fresh"}')
    const since = balancer.status().pools[0]?.nodes[0]?.sinceMs
    const nodes = () => balancer.status().pools[0]?.nodes.map(({ id, weight, sinceMs }) => [id, weight, sinceMs])
    await balancer.reload(written(old, { weight: 3 }))
    expect(nodes()).toEqual([['p/a-r2', 3, since]])
    await balancer.reload(written(fresh))
    expect(nodes()).toEqual([['p/a-r2', 1, since]])
    await balancer.reload(written(old))
    await expect.poll(async () => (await ask(balancer)).text).toBe('{"name":"old"}')
  })
})
