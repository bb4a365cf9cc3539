import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import { silentLogger, type WarmUpCount, type WarmUpOrder } from '../contracts/index.js'
import { nodePlan } from './fleet.test.fixture.js'
import type { NodeEndpoint } from './node-endpoint.js'
import { Node } from './node.js'
import { buildRoster } from './roster-view.js'
import { WarmUp, type NodeWarmed } from './warm-up.js'

const endpoint = { url: '', target: {}, backend: { dialect: {} }, authHeaders: {} } as unknown as NodeEndpoint

/** A node whose warm-ups are ended by hand. */
class Rig {
  readonly clock = new FakeClock()
  readonly said: string[] = []
  readonly warmed: NodeWarmed[] = []
  readonly orders: WarmUpOrder[] = []
  readonly ends: ((count: WarmUpCount) => void)[] = []
  total = 4
  readonly node: Node

  constructor() {
    const plan = nodePlan()
    const group = { ...plan.group, warmUp: { prompts: 16, withinMs: 10_000 } }
    this.node = new Node(0, { ...plan, group }, this.clock, ({ to, reason }) =>
      this.said.push(`${to}${reason === null ? '' : `: ${reason}`}`),
    )
    this.node.warmUp = new WarmUp(this.node, {
      clock: this.clock,
      log: silentLogger,
      warmer: {
        warm: (order) => {
          this.orders.push(order)
          if (this.total < 0) throw new Error('a bug')
          if (this.total === 0) return undefined
          return { total: this.total, over: new Promise((resolve) => this.ends.push(resolve)) }
        },
      },
      onWarmed: (news) => void this.warmed.push(news),
    })
  }

  live(more: Partial<NodeEndpoint> = {}): void {
    this.node.move('start')
    this.node.setEndpoint({ ...endpoint, ...more })
    this.node.move('steady')
  }

  async end(count: WarmUpCount): Promise<void> {
    this.ends.at(-1)?.(count)
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
  }
}

const whole = { computed: 3, failed: 1, total: 4 }

describe('a new node', () => {
  it('is warmed before it takes requests, and says how far it is', async () => {
    const rig = new Rig()
    rig.live()
    const { node } = rig
    expect(rig.orders[0]).toMatchObject({ prompts: 16, withinMs: 10_000, node: { id: node.id } })
    expect([node.state, node.reason, node.progress]).toEqual(['warming', '0/4 prompts that are asked most', 0])
    rig.orders[0]?.onProgress({ computed: 1, failed: 1, total: 4 })
    expect([node.reason, node.progress]).toEqual(['2/4 prompts that are asked most', 0.5])
    node.learn({ verdict: 'ready' })
    for (const event of ['good', 'steady'] as const) node.move(event)
    expect([node.state, node.progress]).toEqual(['warming', 0.5])
    rig.clock.advance(1_500)
    await rig.end(whole)
    expect([node.state, node.reason, node.progress, node.warmUps]).toEqual(['ready', null, null, { computed: 3, failed: 1, unfinished: 0 }])
    expect(rig.warmed).toEqual([{ node: node.id, ...whole, tookMs: 1_500 }])
    node.move('steady')
    expect(rig.said).toEqual(['starting', 'warming: 0/4 prompts that are asked most', 'ready'])
    expect(rig.orders).toHaveLength(1)
  })

  it('is given to clients all the same while no other is ready', () => {
    const rig = new Rig()
    rig.live()
    const [first] = buildRoster(1, [rig.node]).routable(rig.node.plan.pool.name)
    expect([first?.id, first?.state]).toEqual([rig.node.id, 'warming'])
  })

  it('is ready at once where nothing is asked often, its group wants none, a warmer fails, or it was taken over', () => {
    const [nothing, failing, unwanted, adopted] = [new Rig(), new Rig(), new Rig(), new Rig()]
    nothing.total = 0
    failing.total = -1
    unwanted.node.plan = nodePlan()
    for (const rig of [nothing, failing, unwanted]) rig.live()
    adopted.live({ adopted: true })
    for (const { node } of [nothing, failing, unwanted, adopted]) expect([node.state, node.wasReady]).toEqual(['ready', true])
    expect([nothing, failing, unwanted, adopted].map(({ orders }) => orders.length)).toEqual([1, 1, 0, 0])
  })

  it.each([
    ['drain', 'draining'],
    ['stop', 'stopped'],
    ['loading', 'loading'],
    ['bad', 'suspect'],
    ['fail', 'failed'],
  ] as const)('that is to %s is warmed no longer, and what comes of the warm-up changes nothing', async (event, state) => {
    const rig = new Rig()
    rig.live()
    rig.node.move(event, 'why')
    expect(rig.orders[0]?.signal.aborted).toBe(true)
    await rig.end({ computed: 0, failed: 0, total: 4 })
    expect([rig.node.state, rig.node.reason, rig.node.progress, rig.warmed]).toEqual([state, 'why', null, []])
    expect(rig.node.warmUps.unfinished).toBe(4)
  })

  it('that was called back while it drained is ready', () => {
    const rig = new Rig()
    rig.live()
    rig.node.move('drain')
    rig.node.move('resume')
    expect(rig.node.state).toBe('ready')
  })

  it('is warmed in each of its lives, but not in the one after an engine that ended meanwhile: a prompt may be why', async () => {
    const rig = new Rig()
    rig.live()
    await rig.end(whole)
    rig.node.move('fail', 'killed')
    rig.live()
    expect(rig.node.state).toBe('warming')
    rig.node.move('fail', 'killed')
    rig.live()
    expect([rig.node.state, rig.orders.length]).toEqual(['ready', 2])
    rig.node.move('fail', 'killed')
    rig.live()
    expect([rig.node.state, rig.orders.length]).toEqual(['warming', 3])
  })

  it('that is taken out while it is warmed comes back without', async () => {
    const rig = new Rig()
    rig.live()
    expect(rig.node.eject({ reason: 'slow', untilMs: 1 })).toBe(true)
    await rig.end(whole)
    expect([rig.node.state, rig.node.reason]).toEqual(['suspect', 'slow'])
    rig.node.readmit()
    expect([rig.node.state, rig.orders.length]).toEqual(['ready', 1])
  })

  it('that rested is warmed when it was woken, taken over or not', () => {
    const rig = new Rig()
    rig.live({ adopted: true })
    rig.node.move('drain')
    rig.node.move('sleep')
    rig.live({ adopted: true })
    expect(rig.node.state).toBe('warming')
  })
})
