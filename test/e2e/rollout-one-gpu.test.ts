/** One simulated GPU with room for one engine, through the real binary: the planner sees that by itself, and what it swaps comes back where it must. */
import { afterEach, describe, expect, it } from 'vitest'
import { isOver, type RolloutStatus } from '@plimsoll/core'
import { ControlClient } from '../rollouts/control-client.js'
import { House, until } from './house.js'
import { pause } from './steady-load.js'
import { SimulatedGpu } from './simulated-gpu.js'
import { controlSocket } from './thread-load.js'

let house: House | undefined
let gpu: SimulatedGpu | undefined
let control: ControlClient | undefined
afterEach(async () => {
  control?.close()
  await house?.close()
  gpu?.close()
})

/** Its URL. */
async function begin(args = ''): Promise<string> {
  gpu = new SimulatedGpu()
  house = new House(`version: 1
name: one-gpu
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]
    rollout: { hold: 1s, judge: { minSamples: 3 } }
    nodes:
      - name: sim
        engine: sim
        launch: { gpus: [[0]], args: { profile: 8b-h100, loadMs: 200, memoryFolder: ${gpu.folder}, memoryMib: 60000${args} } }
`)
  Object.assign(house.env, gpu.env)
  const url = await house.up()
  control = new ControlClient(await controlSocket(house))
  return url
}

/** Requests one after the other while something goes on; how many there were, and what became of those that failed. */
async function underTraffic<Value>(
  url: string,
  work: () => Promise<Value>,
  clients = 3,
): Promise<{ value: Value; answered: number; failures: string[] }> {
  let isDone = false
  const failures: string[] = []
  let answered = 0
  const client = async (): Promise<void> => {
    while (!isDone) {
      const body = JSON.stringify({ model: 'sim-8b', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] })
      const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      const text = await response.text()
      if (response.ok) answered += 1
      else failures.push(`${response.status} ${text.slice(0, 200)}`)
      await pause(20)
    }
  }
  const asking = Array.from({ length: clients }, () => client())
  const value = await work().finally(() => (isDone = true))
  await Promise.all(asking)
  return { value, answered, failures }
}

interface Ended {
  readonly status: RolloutStatus
  /** States that each node came into. */
  readonly seen: readonly string[]
  readonly pids: readonly (number | null)[]
}

async function rollOut(set: Readonly<Record<string, unknown>>): Promise<Ended> {
  const seen = new Set<string>()
  control?.follow(({ kind, node, to }) => void (kind === 'node' && seen.add(`${node} ${to}`)))
  await control?.post('/v1/rollouts', { pool: 'demo', set })
  let status: RolloutStatus | undefined
  await until(async () => {
    status = await control?.get<RolloutStatus>('/v1/rollouts/demo')
    return status !== undefined && isOver(status)
  }, 60_000)
  const nodes = (await house?.status())?.pools[0]?.nodes ?? []
  return { status: status as RolloutStatus, seen: [...seen], pids: nodes.map(({ pid }) => pid) }
}

describe('one GPU with room for one engine', () => {
  it('is swapped in place without being told so, and every request that waited is answered', async () => {
    const url = await begin()
    const { value, answered, failures } = await underTraffic(url, () => rollOut({ 'launch.args.maxNumSeqs': 250 }))
    expect(value.status, JSON.stringify(value.status)).toMatchObject({ kind: 'in-place', phase: 'promoted' })
    expect(value.status.events.map(({ message }) => message).join('\n')).toMatch(/^in-place, because there is no room for one more: /u)
    expect(failures).toEqual([])
    expect(answered).toBeGreaterThan(20)
    expect(gpu?.used).toBe(60_000)
  })

  /** Each waits for its answer before it asks for more: so many failures there are at most for the judge to see. */
  const CLIENTS = 30

  it('is back as it was where its successor answers with errors: who met one waits for the old one, and is answered', async () => {
    const url = await begin()
    const { value, answered, failures } = await underTraffic(url, () => rollOut({ 'launch.args.fault': 'errors:100%' }), CLIENTS)
    expect(value.status, JSON.stringify(value.status)).toMatchObject({ kind: 'in-place', phase: 'rolled-back' })
    expect(value.status.judge?.canaryRequests).toBeGreaterThan(0)
    expect(failures).toEqual([])
    expect(answered).toBeGreaterThan(20)
  })

  it('puts an engine that can sleep to sleep, and wakes the very same process where its successor is no good', async () => {
    const url = await begin(', wakeMs: 100')
    const before = (await house?.status())?.pools[0]?.nodes[0]?.pid
    const { value, failures } = await underTraffic(url, () => rollOut({ 'launch.args.contextTokens': 1024 }))
    expect(value.status, JSON.stringify(value.status)).toMatchObject({
      kind: 'in-place',
      phase: 'rolled-back',
      reason: expect.stringMatching(/takes 1024 tokens of context/u),
    })
    expect(value.seen).toContain('demo/sim asleep')
    expect(value.pids).toEqual([before])
    expect(failures).toEqual([])
  })
})
