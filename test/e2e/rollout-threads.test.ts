/** Revisions and resting pools behind two data threads: what the main thread decides must reach them, and what they see must reach it. */
import { afterEach, describe, expect, it } from 'vitest'
import type { RolloutStatus } from '@plimsoll/core'
import { ControlClient } from '../rollouts/control-client.js'
import { House, until } from './house.js'
import { SimulatedGpu } from './simulated-gpu.js'
import { chat, controlSocket, load, post } from './thread-load.js'

let house: House | undefined
let control: ControlClient | undefined
let gpu: SimulatedGpu | undefined
afterEach(async () => {
  control?.close()
  await house?.close()
  gpu?.close()
  gpu = undefined
})

const demo = `version: 1
gateway: { listen: 127.0.0.1:0, workers: 2 }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - { name: sim, engine: sim, launch: { replicas: 2, args: { profile: 8b-h100, slowness: 2 } } }
`

async function begin(topology: string): Promise<string> {
  house = new House(topology)
  Object.assign(house.env, gpu?.env)
  const url = await house.up()
  control = new ControlClient(await controlSocket(house))
  return url
}

const questions = (count: number): string[] => Array.from({ length: count }, (_, at) => chat(`question ${at}`, 12, { stream: false }))
const rollout = async (): Promise<RolloutStatus> => (await control?.get<RolloutStatus>('/v1/rollouts/demo')) as RolloutStatus

/** Clients ask until the rollout has come this far. */
async function askUntil(
  url: string,
  isThere: (status: RolloutStatus) => boolean,
  concurrency = 10,
): Promise<{ status: RolloutStatus; failed: string[]; asked: number }> {
  const failed: string[] = []
  let asked = 0
  for (;;) {
    const tally = await load(url, questions(2 * concurrency), { concurrency })
    failed.push(...tally.failed)
    asked += 2 * concurrency
    const status = await rollout()
    if (isThere(status) || asked >= 3_000) return { status, failed, asked }
  }
}

describe('two data threads', () => {
  it('send what a canary fails at to the old revision, and tell the judge', async () => {
    const url = await begin(demo)
    const plan = { kind: 'canary', steps: [0.5, 1], holdMs: 1_000 }
    await control?.post('/v1/rollouts', { pool: 'demo', set: { 'launch.args.fault': 'errors:100%' }, plan })
    const { status, failed } = await askUntil(url, ({ phase }) => phase === 'rolled-back' || phase === 'promoted')
    expect(failed).toEqual([])
    expect(status).toMatchObject({ phase: 'rolled-back', reason: expect.stringMatching(/errors/u) })
  })

  it('keep what the only engine fails at until the old one is back, and tell the judge at once', async () => {
    const url = await begin(demo.replace('replicas: 2', 'replicas: 1'))
    await load(url, questions(60), { concurrency: 20 })
    const plan = { kind: 'in-place', holdMs: 1_000 }
    await control?.post('/v1/rollouts', { pool: 'demo', set: { 'launch.args.fault': 'errors:100%' }, plan })
    const { status, failed } = await askUntil(url, ({ phase }) => phase === 'rolled-back' || phase === 'promoted', 30)
    expect(failed).toEqual([])
    expect(status).toMatchObject({ phase: 'rolled-back', reason: expect.stringMatching(/errors/u) })
  })

  it('copy requests for a shadow, and tell how both answers were', async () => {
    const url = await begin(demo)
    const plan = { kind: 'shadow', steps: [0.5], holdMs: 1_000 }
    await control?.post('/v1/rollouts', { pool: 'demo', set: { 'launch.args.maxNumSeqs': 250 }, plan })
    const { status, failed } = await askUntil(url, ({ judge }) => (judge?.canaryRequests ?? 0) >= 30)
    expect(failed).toEqual([])
    expect(status.judge?.canaryRequests).toBeGreaterThanOrEqual(30)
    const { requests } = (await control?.get<{ requests: { attempts: { revision?: string }[] }[] }>('/v1/requests?limit=1000')) ?? {
      requests: [],
    }
    const revisions = new Set(requests.flatMap(({ attempts }) => attempts.map(({ revision }) => revision)))
    expect(revisions.has(status.to.revision)).toBe(false)
  })

  it('tell at once of the first request for a pool that rests, and the client what it waits for', async () => {
    gpu = new SimulatedGpu()
    const pool = (name: string): string => `  ${name}:
    residency: { minResident: 0s }
    nodes:
      - name: sim
        engine: sim
        launch: { gpus: [[0]], args: { profile: instant, loadMs: 2500, memoryFolder: ${gpu?.folder}, memoryMib: 60000 } }
`
    const url = await begin(`version: 1
gateway: { listen: 127.0.0.1:0, workers: 2, heartbeat: 1s }
pools:
${pool('chat')}${pool('code')}`)
    const changes: { atMs: number; message: string }[] = []
    control?.follow((event) => event.node?.startsWith('code/') === true && changes.push(event))
    const askedAtMs = Date.now()
    const { status, text } = await post(url, chat('hello', 8, { model: 'code', stream: true }))
    expect([status, text]).toEqual([200, expect.stringMatching(/^(?:: waiting for code to wake\n\n)+[^]*\[DONE\]/u)])
    await until(() => changes.some(({ atMs }) => atMs >= askedAtMs))
    const firstMs = Math.min(...changes.filter(({ atMs }) => atMs >= askedAtMs).map(({ atMs }) => atMs - askedAtMs))
    process.stdout.write(`\nthe first move towards waking: after ${firstMs} ms\n`)
    expect(firstMs).toBeLessThan(3_000)
  })
})
