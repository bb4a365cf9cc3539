import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/index.js'
import { silentLogger, type Gpu } from '../../contracts/index.js'
import type { Charge } from '../../health/index.js'
import type { GpuReading, SeenGpu } from '../../machines/index.js'
import { Node, nodePlansOf } from '../../nodes/index.js'
import { resolveTopology } from '../../topology/index.js'
import { GpuHealth } from './gpu-health.js'

const card: Gpu = {
  vendor: 'nvidia',
  index: 1,
  uuid: 'GPU-1',
  pciBusId: null,
  name: 'H100',
  memTotalMiB: 81_559,
  memFreeMiB: 4,
  utilization: null,
  temperatureC: null,
  unified: false,
}
const seen = (more: Partial<SeenGpu> = {}): SeenGpu => ({ ...card, key: 'GPU-1', source: 'nvidia-smi', seenAtMs: 0, ...more })

/** A node that an earlier balancer put on the card. */
async function seatedNode(clock: FakeClock): Promise<Node> {
  const input = {
    version: 1 as const,
    pools: { p: { models: ['m'], nodes: [{ name: 'n', engine: 'sim', attach: 'http://127.0.0.1:1' }] } },
  }
  const engines = new Map([['sim', { engine: 'sim', settings: {}, canLaunch: true, canAttach: true }]])
  const [plan] = nodePlansOf(
    await resolveTopology(input, { engines, strategies: new Map([['adaptive', { settings: {} }]]), env: {} } as never),
  )
  if (plan === undefined) throw new Error('no plan')
  const node = new Node(0, plan, clock, () => undefined)
  const launch = { hash: 'h', port: 1, extraPorts: [], startedAtMs: 0, logFrom: 0, gpus: [card] }
  node.setEndpoint({ url: 'http://127.0.0.1:1', mark: 'm', launch } as never)
  for (const event of ['start', 'steady'] as const) node.move(event)
  return node
}

async function scene() {
  const clock = new FakeClock()
  const node = await seatedNode(clock)
  const charges: Charge[] = []
  const state: { gpus: SeenGpu[]; ecc: Map<string, number>; reads: number } = { gpus: [seen()], ecc: new Map(), reads: 0 }
  const health = new GpuHealth({
    clock,
    log: silentLogger,
    nodes: () => [node],
    watch: {
      read() {
        state.reads += 1
        return Promise.resolve({ gpus: state.gpus, problems: [], atMs: 0 } satisfies GpuReading)
      },
    },
    eccErrors: () => Promise.resolve(new Map(state.ecc)),
    eject: (_id, charge) => (charges.push(charge), true),
  })
  health.start()
  const look = async (): Promise<void> => {
    clock.advance(15_000)
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  }
  await look()
  return { node, charges, state, health, look }
}

describe('the health of accelerators', () => {
  it('takes nodes off a card that its tool calls lost, and lets them back once it is not', async () => {
    const { charges, state, health, look } = await scene()
    expect(charges).toEqual([])
    state.gpus = [seen({ broken: 'GPU is lost' })]
    await look()
    const why = 'its GPU 1 (H100) is broken: GPU is lost'
    expect(charges).toEqual([{ kind: 'hung', why, lost: why }])
    expect(health.wrongWith('p/n')).toBe(why)
    state.gpus = [seen()]
    await look()
    expect(health.wrongWith('p/n')).toBeUndefined()
  })

  it('misses a card that was there and is no longer listed', async () => {
    const { charges, state, look } = await scene()
    state.gpus = []
    await look()
    expect(charges.map(({ why }) => why)).toEqual(['its GPU 1 (H100) is gone'])
  })

  it('counts only those errors of memory that are new', async () => {
    const { charges, state, look } = await scene()
    state.ecc.set('GPU-1', 7)
    await look()
    await look()
    expect(charges).toEqual([])
    state.ecc.set('GPU-1', 8)
    await look()
    expect(charges).toEqual([{ kind: 'failures', why: 'the memory of its GPU 1 (H100) had errors that could not be corrected' }])
  })

  it('asks nothing where no node has a card, or lb runs it elsewhere', async () => {
    const { node, state, look } = await scene()
    const { reads } = state
    node.move('drain')
    await look()
    expect(state.reads).toBe(reads)
  })
})
