import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Balancer } from './create-balancer.js'
import { ask as askOf, pluginOf, smallTown } from './town.test.fixture.js'

let folder: string
let balancer: Balancer
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-members-'))
})
// Behind that of the town, whose balancers watch it.
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const { engine: engineWith, balancerOf } = smallTown()
const plugin = pluginOf('test')
const engine = (name: string, hold: Promise<void> = Promise.resolve()): Promise<string> => engineWith(name, { hold })
const ask = async (): Promise<string> => (await askOf(balancer)).text

type Entry =
  | string
  | { readonly url: string; readonly name?: string; readonly weight?: number; readonly labels?: Readonly<Record<string, string>> }

function put(...entries: readonly Entry[]): void {
  writeFileSync(join(folder, 'new'), JSON.stringify(entries))
  renameSync(join(folder, 'new'), join(folder, 'members.json'))
}

async function start(drain = '10s'): Promise<void> {
  const attach = { from: `file:${join(folder, 'members.json')}`, every: '10ms' }
  balancer = balancerOf({
    topology: { name: 'members', pools: { p: { models: ['m'], drain, nodes: [{ name: 'g', engine: 'test', attach, weight: 2 }] } } },
    engines: [plugin],
  })
  await balancer.start()
}

const pool = () => balancer.status().pools[0]
const nodes = () => pool()?.nodes.map(({ name, state }) => `${name} ${state}`)

describe('members of a source', () => {
  it('are nodes that take requests, with their weight and labels', async () => {
    put({ url: await engine('one'), name: 'one', weight: 3, labels: { zone: 'a' } })
    await start()
    expect(await ask()).toContain('one')
    expect(pool()?.nodes).toMatchObject([{ id: 'p/g-one', weight: 6, labels: { zone: 'a' }, state: 'ready' }])
    expect(pool()?.sources).toMatchObject([{ group: 'g', members: 1, error: null, failingSinceMs: null, notes: [] }])
  })

  it('join while it runs; one that leaves ends its requests first', async () => {
    let letGo = (): void => undefined
    const old = await engine('old', new Promise((resolve) => (letGo = resolve)))
    put({ url: old, name: 'old' })
    await start()
    const asked = ask()
    await expect.poll(() => pool()?.inFlight).toBe(1)
    put({ url: await engine('new'), name: 'new' })
    await expect.poll(nodes).toEqual(['g-new ready'])
    expect(await ask()).toContain('new')
    letGo()
    expect(await asked).toContain('old')
  })

  it('that are the same stay as they are: only a weight changes under a running node', async () => {
    const url = await engine('one')
    put({ url, name: 'one' })
    await start()
    const since = pool()?.nodes[0]?.sinceMs
    put({ url, name: 'one', weight: 5 })
    await expect.poll(() => pool()?.nodes[0]?.weight).toBe(10)
    expect(pool()?.nodes[0]?.sinceMs).toBe(since)
  })

  it('leave no counter behind', async () => {
    const urls = await Promise.all([engine('a'), engine('b')])
    put(...urls)
    await start('1s')
    await Promise.all(Array.from({ length: 10 }, ask))
    await expect.poll(() => balancer.metrics().match(/node="p\/g-[^"]*"/g)?.length).toBeGreaterThan(20)
    put()
    await expect.poll(nodes).toEqual([])
    await expect.poll(() => balancer.metrics().includes('node="p/g-')).toBe(false)
    expect(balancer.metrics()).toContain('lb_gateway_requests_total{code="200"} 10')
    expect(await ask()).toContain('LB_NO_READY_NODE')
  })

  it('that leave with requests in flight leave none of their counts to those that come after them', async () => {
    let letGo = (): void => undefined
    const hold = new Promise<void>((resolve) => (letGo = resolve))
    put({ url: await engine('old', hold), name: 'old' })
    await start('30ms')
    const asked = [ask(), ask(), ask()]
    await expect.poll(() => pool()?.inFlight).toBe(3)
    put({ url: await engine('next'), name: 'next' })
    await expect.poll(nodes).toEqual(['g-next ready'])
    const counts = (): string[] =>
      balancer
        .metrics()
        .split('\n')
        .filter((line) => /^lb_node_(in_flight|waiting|tokens_in_flight|prefill_tokens|decode_tokens)\{/.test(line))
        .map((line) => line.slice(line.lastIndexOf(' ') + 1))
    expect(counts()).toEqual(['0', '0', '0', '0', '0'])
    letGo()
    await Promise.all(asked)
    put({ url: await engine('last'), name: 'last' }, { url: await engine('other'), name: 'other' })
    await expect.poll(() => nodes()?.toSorted()).toEqual(['g-last ready', 'g-other ready'])
    expect(counts()).toEqual(Array.from({ length: 10 }, () => '0'))
  })

  it('come and go many times, and every row of the shared counters is given back', async () => {
    const urls = await Promise.all([engine('a'), engine('b'), engine('c')])
    put(...urls)
    await start('1s')
    for (let round = 0; round < 15; round += 1) {
      const now = urls.filter((_, index) => (round + index) % 3 !== 0)
      put(...now)
      await expect.poll(() => nodes()?.length).toBe(2)
      await expect
        .poll(() =>
          pool()
            ?.nodes.map(({ url }) => url)
            .sort(),
        )
        .toEqual(now.toSorted())
      await ask()
    }
    await expect.poll(() => pool()?.inFlight).toBe(0)
  })

  it('stay when the file is broken, and its age and error are told', async () => {
    put({ url: await engine('one'), name: 'one' })
    await start()
    writeFileSync(join(folder, 'members.json'), '[{')
    await expect.poll(() => pool()?.sources?.[0]?.error).toContain('no whole JSON')
    expect(await ask()).toContain('one')
    expect(balancer.metrics()).toMatch(/lb_source_failing\{pool="p",group="g"\} 1\n/)
    expect(balancer.metrics()).toMatch(/lb_source_members\{pool="p",group="g"\} 1\n/)
    expect(pool()?.sources?.[0]).toMatchObject({ members: 1, updatedAtMs: expect.any(Number), failingSinceMs: expect.any(Number) })
  })

  it('of a reloaded topology are there at once', async () => {
    const url = await engine('one')
    put({ url, name: 'one' })
    await start()
    const nodesPlan = [{ name: 'g', engine: 'test', attach: { from: `file:${join(folder, 'members.json')}`, every: '10ms' }, weight: 7 }]
    await balancer.reload({ name: 'members', pools: { p: { models: ['m', 'n'], nodes: nodesPlan } } })
    expect(pool()?.nodes).toMatchObject([{ name: 'g-one', weight: 7 }])
    expect(await ask()).toContain('one')
  })
})
