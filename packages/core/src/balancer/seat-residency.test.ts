import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Backend, EnginePlugin } from '../contracts/index.js'
import type { TopologyInput } from '../topology/index.js'
import type { Balancer } from './create-balancer.js'
import { ask, pluginOf, smallTown } from './town.test.fixture.js'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
const { serve, balancerOf: balancerWith } = smallTown()

/** One server of somebody else's that keeps models: it has room for one of them. */
class Keeper {
  readonly loaded = new Set<string>()
  /** Requests for a model that was not in memory, and models that were unloaded over a request. */
  readonly wrongs: string[] = []
  readonly running = new Map<string, number>()
  hold: Promise<void> = Promise.resolve()

  /** `plain`: nobody can tell it to unload anything. */
  constructor(private readonly isPlain = false) {}

  listen(): Promise<string> {
    return serve((request, response) => {
      let body = ''
      request.on('data', (part: Buffer) => (body += part.toString()))
      request.on('end', () => {
        if (request.url === '/probe') return response.end('ok')
        void this.answer((JSON.parse(body) as { model: string }).model).then((text) => response.end(text))
        return undefined
      })
    })
  }

  get plugin(): EnginePlugin {
    return pluginOf('keeper', () => (this.isPlain ? {} : { models: this.models }))
  }

  private get models(): NonNullable<Backend['models']> {
    return {
      list: () => Promise.resolve(['a', 'b', 'c'].map((name) => ({ name, loaded: this.loaded.has(name) }))),
      load: (model) => {
        this.loaded.add(model)
        if (this.loaded.size > 1) this.wrongs.push(`${[...this.loaded].join(' and ')} together`)
        return Promise.resolve()
      },
      unload: (model) => {
        if ((this.running.get(model) ?? 0) > 0) this.wrongs.push(`${model} unloaded over a request`)
        this.loaded.delete(model)
        return Promise.resolve()
      },
    }
  }

  private async answer(model: string): Promise<string> {
    if (!this.loaded.has(model)) this.wrongs.push(`${model} asked while it was not in memory`)
    this.running.set(model, (this.running.get(model) ?? 0) + 1)
    await this.hold
    this.running.set(model, (this.running.get(model) ?? 0) - 1)
    return JSON.stringify({ choices: [{ message: { content: model }, finish_reason: 'stop' }] })
  }
}

function topologyAt(url: string, more: object = {}): TopologyInput {
  const pool = (): TopologyInput['pools'][string] => ({
    residency: { minResident: '0s', ...more },
    nodes: [{ name: 'far', engine: 'keeper', attach: url }],
  })
  return { name: 'shared', pools: { a: pool(), b: pool(), c: pool() } }
}

function balancerOf(keeper: Keeper, topology: TopologyInput, stateDir?: string): Balancer {
  return balancerWith({ topology, engines: [keeper.plugin], ...(stateDir === undefined ? {} : { stateDir }) })
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  while (!isTrue()) {
    if (performance.now() > deadlineMs) throw new Error('not within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const statesOf = (balancer: Balancer) => balancer.status().pools.map(({ residency }) => residency?.state)
const eventsOf = (balancer: Balancer, told: string[]) =>
  balancer.on('event', ({ kind, message }) => void (kind === 'residency' && told.push(message)))

/** a is awake. */
async function withAwake(keeper: Keeper, topology: TopologyInput): Promise<Balancer> {
  const balancer = balancerOf(keeper, topology)
  keeper.loaded.add('a')
  await balancer.start()
  await until(() => statesOf(balancer)[0] === 'awake')
  return balancer
}

/** a is awake and answers a request, which comes to its end with `end`. */
async function answering(keeper: Keeper, topology: TopologyInput) {
  const balancer = await withAwake(keeper, topology)
  const { promise, resolve: end } = Promise.withResolvers<void>()
  keeper.hold = promise
  const slow = ask(balancer, 'a')
  await until(() => keeper.running.get('a') === 1)
  return { balancer, slow, end }
}

async function unloadsNothingBefore(keeper: Keeper, end: () => void): Promise<void> {
  await new Promise((done) => setTimeout(done, 300))
  expect([...keeper.loaded]).toEqual(['a'])
  end()
}

describe('pools that share an attached server', () => {
  it('begin with the first one awake; a request for another unloads it and loads the other, and no request meets a model that is not there', async () => {
    const keeper = new Keeper()
    const balancer = balancerOf(keeper, topologyAt(await keeper.listen()))
    const told: string[] = []
    eventsOf(balancer, told)
    keeper.loaded.add('a')
    await balancer.start()
    await until(() => statesOf(balancer).join() === 'awake,resting,resting')
    expect(await ask(balancer, 'a')).toMatchObject({ status: 200 })
    const both = await Promise.all([ask(balancer, 'b'), ask(balancer, 'c'), ask(balancer, 'b')])
    expect(both.map(({ status }) => status)).toEqual([200, 200, 200])
    await until(() => statesOf(balancer).join() === 'resting,resting,awake')
    expect([...keeper.loaded]).toEqual(['c'])
    expect(keeper.wrongs).toEqual([])
    expect(told).toEqual(expect.arrayContaining(['a makes room: the turn of b has come', 'b is woken for requests that wait']))
    expect(balancer.status().pools[0]?.nodes[0]).toMatchObject({
      state: 'asleep',
      reason: 'rests: its model is out of memory until a request comes',
    })
  })

  it('let an answer end before its model is unloaded', async () => {
    const keeper = new Keeper()
    const { balancer, slow, end } = await answering(keeper, topologyAt(await keeper.listen()))
    const next = ask(balancer, 'b')
    await until(() => statesOf(balancer)[1] === 'making-room')
    await unloadsNothingBefore(keeper, end)
    expect([(await slow).status, (await next).status]).toEqual([200, 200])
    expect(keeper.wrongs).toEqual([])
  })

  it('stay in their turn when the file is edited in the middle of a swap', async () => {
    const keeper = new Keeper()
    const topology = topologyAt(await keeper.listen())
    const { balancer, slow, end } = await answering(keeper, topology)
    const next = ask(balancer, 'b')
    await until(() => statesOf(balancer)[1] === 'making-room')
    expect(balancer.status().pools[1]?.nodes[0]?.reason).toBe('waits until a has ended what runs there')
    const edited = topologyAt('', { evictCost: 3 }).pools['c']?.residency
    await balancer.reload({ ...topology, pools: { ...topology.pools, c: { ...topology.pools['c'], residency: edited } as never } })
    await unloadsNothingBefore(keeper, end)
    expect([(await slow).status, (await next).status]).toEqual([200, 200])
    expect(keeper.wrongs).toEqual([])
    expect(balancer.metrics()).toContain('lb_residency_swaps_total{from="a",to="b",reason="turn"} 1')
  })

  it('tell a client what it waited for in vain, while an answer without an end has the place; nothing is cut', async () => {
    const keeper = new Keeper()
    const { balancer, slow: endless, end } = await answering(keeper, topologyAt(await keeper.listen(), { wakeWithin: '500ms' }))
    const [b, c] = await Promise.all([ask(balancer, 'b'), ask(balancer, 'c')])
    expect([b.status, c.status]).toEqual([503, 503])
    expect(b.text).toContain('pool b did not wake within 0.5 s: b/far is asleep (waits until a has ended what runs there)')
    expect(c.text).toContain('c/far is asleep (waits for its turn: others were asked for first)')
    end()
    expect((await endless).status).toBe(200)
    keeper.hold = Promise.resolve()
    await until(() => statesOf(balancer)[0] !== 'going-to-rest')
    expect((await ask(balancer, 'b')).status).toBe(200)
    expect(keeper.wrongs).toEqual([])
  })

  it('rest when told to', async () => {
    const keeper = new Keeper()
    const balancer = await withAwake(keeper, topologyAt(await keeper.listen()))
    expect(await balancer.steering().residency.unload('a')).toMatchObject({ pool: 'a', state: 'going-to-rest' })
    await until(() => statesOf(balancer)[0] === 'resting')
    expect(keeper.loaded.size).toBe(0)
    await expect(balancer.steering().residency.unload('nobody')).rejects.toMatchObject({ code: 'LB_UNKNOWN_POOL' })
  })

  it('take turns also where nobody can tell their server to unload, and that is said', async () => {
    const keeper = new Keeper(true)
    for (const model of ['a', 'b', 'c']) keeper.loaded.add(model)
    const balancer = balancerOf(keeper, topologyAt(await keeper.listen()))
    await balancer.start()
    await until(() => statesOf(balancer)[0] === 'awake')
    const desk = balancer.steering().residency
    await expect(desk.unload('a')).rejects.toMatchObject({
      code: 'LB_CANNOT_UNLOAD',
      message: expect.stringContaining('neither be put to sleep nor told to unload') as string,
    })
    expect((await ask(balancer, 'b')).status).toBe(200)
    expect(statesOf(balancer)).toEqual(['resting', 'awake', 'resting'])
    expect(balancer.status().pools[0]?.nodes[0]?.reason).toContain('nobody can ask its engine to give its memory back')
  })

  it('are found as they were by the next balancer: who was awake last is awake again, and who is added finds its place taken', async () => {
    const keeper = new Keeper()
    const url = await keeper.listen()
    const stateDir = mkdtempSync(join(tmpdir(), 'lb-residency-'))
    folders.push(stateDir)
    const first = balancerOf(keeper, topologyAt(url), stateDir)
    keeper.loaded.add('a')
    await first.start()
    expect((await ask(first, 'b')).status).toBe(200)
    await until(() => statesOf(first).join() === 'resting,awake,resting')
    await first.close({ drainMs: 0 })
    expect(Object.keys((JSON.parse(readFileSync(join(stateDir, 'plans.json'), 'utf8')) as { pools: object }).pools)).toEqual(['c', 'a'])
    const second = balancerOf(keeper, topologyAt(url), stateDir)
    await second.start()
    await until(() => statesOf(second).join() === 'resting,awake,resting')
    const pools = topologyAt(url).pools
    await second.reload({
      name: 'shared',
      pools: { ...pools, a: { ...topologyAt(url, { evictCost: 3 }).pools['a'], nodes: pools['a']?.nodes ?? [] } },
    })
    expect(statesOf(second)).toEqual(['resting', 'awake', 'resting'])
    expect((await ask(second, 'a')).status).toBe(200)
    expect(keeper.wrongs).toEqual([])
  })
})
