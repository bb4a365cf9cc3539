/** Pools that share one simulated GPU, through the real binary: engines that do not fit beside each other end as by an error of their driver. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import type { BalancerStatus } from '@plimsoll/core'
import { House, isLong, until } from './house.js'
import { SimulatedGpu } from './simulated-gpu.js'

const MODELS = ['chat', 'code', 'read'] as const
const MIN_RESIDENT_MS = 2_000

let house: House | undefined
let gpu: SimulatedGpu | undefined
afterEach(async () => {
  await house?.close()
  gpu?.close()
  house = undefined
  gpu = undefined
})

interface Share {
  /** In the words of the file. */
  readonly residency?: string
  readonly args?: string
  /** Of each model; 60,000 of 81,559. */
  readonly mib?: number
  readonly gpus?: string
  /** Two and more: data threads, which hear a little later who rests. */
  readonly workers?: number
}

function build({
  residency = `{ minResident: ${MIN_RESIDENT_MS}ms }`,
  args = '',
  mib = 60_000,
  gpus = '[[0]]',
  workers = 1,
}: Share): House {
  gpu = new SimulatedGpu()
  const pools = MODELS.map(
    (model) => `  ${model}:
    residency: ${residency}
    nodes:
      - name: sim
        engine: sim
        launch: { gpus: ${gpus}, args: { profile: 8b-h100, loadMs: 150, memoryFolder: ${gpu?.folder}, memoryMib: ${mib}${args} } }
`,
  )
  house = new House(`version: 1
name: share
gateway: { listen: 127.0.0.1:0, workers: ${workers} }
pools:
${pools.join('')}`)
  Object.assign(house.env, gpu.env)
  return house
}

interface Traffic {
  answered: number
  readonly failures: string[]
}

/** Clients that ask one thing after the other, each with its own rhythm, until the time is up. */
async function ask(url: string, forMs: number, clientsEach: number): Promise<Traffic> {
  const traffic: Traffic = { answered: 0, failures: [] }
  const untilMs = performance.now() + forMs
  const client = async (model: string, seed: number): Promise<void> => {
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, timeout: 120_000 })
    for (let turn = 0; performance.now() < untilMs; turn += 1) {
      try {
        const messages = [{ role: 'user' as const, content: `client ${seed}, turn ${turn}: tell me of ${model}` }]
        const stream = await openai.chat.completions.create({ model, messages, stream: true, max_tokens: 40 })
        let reason: string | null = null
        for await (const chunk of stream) reason = chunk.choices[0]?.finish_reason ?? reason
        if (reason === null) throw new Error('a stream without an end')
        traffic.answered += 1
      } catch (error) {
        traffic.failures.push(`${model}: ${String(error)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 20 + ((seed * 37 + turn * 53) % 180)))
    }
  }
  await Promise.all(MODELS.flatMap((model, index) => Array.from({ length: clientsEach }, (_, seed) => client(model, 10 * index + seed))))
  return traffic
}

const look = async (): Promise<BalancerStatus> => (await house?.status()) as unknown as BalancerStatus
const stateOf = (status: BalancerStatus) => status.pools.map(({ residency }) => residency?.state)
const wakesOf = (status: BalancerStatus) => status.pools.reduce((sum, { residency }) => sum + (residency?.wakes ?? 0), 0)

/** What a simulated engine tells of itself. */
async function slept(status: BalancerStatus): Promise<number> {
  const counts = status.pools.flatMap(({ nodes }) =>
    nodes.map(async ({ url }) => ((await (await fetch(`${url}/sim/state`)).json()) as { askedWhileAsleep: number }).askedWhileAsleep),
  )
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

describe('three models on one simulated GPU', () => {
  const ways = [
    ['whose engines sleep and wake, over two data threads', ', wakeMs: 100', 2],
    ['whose engines are stopped and started', '', 1],
  ] as const
  it.each(isLong ? ways : ways.slice(0, 1))(
    '%s: every request is answered, none is cut, and they swap at most once in each minimum residence',
    async (how, args, workers) => {
      const url = await build({ args, workers }).up()
      expect(stateOf(await look())).toEqual(['awake', 'resting', 'resting'])
      const beganMs = performance.now()
      const { answered, failures } = await ask(url, 16_000, 3)
      const tookMs = performance.now() - beganMs
      const status = await look()
      const bound = Math.floor(tookMs / MIN_RESIDENT_MS) + 1
      process.stdout.write(
        `${how}: ${answered} answered, ${failures.length} failed, ${wakesOf(status)} swaps in ${Math.round(tookMs)} ms (bound ${bound})\n`,
      )
      expect(failures).toEqual([])
      expect(answered).toBeGreaterThan(50)
      expect(wakesOf(status)).toBeGreaterThanOrEqual(3)
      expect(wakesOf(status)).toBeLessThanOrEqual(bound)
      expect(status.pools.reduce((sum, { errors }) => sum + errors, 0)).toBe(0)
      if (args !== '') expect(await slept(status)).toBe(0)
    },
  )

  it.runIf(isLong)('without a minimum residence they swap far more often: what it is for', async () => {
    const url = await build({ residency: '{ minResident: 0s }', args: ', wakeMs: 20' }).up()
    const beganMs = performance.now()
    const { failures } = await ask(url, 10_000, 3)
    const bound = Math.floor((performance.now() - beganMs) / MIN_RESIDENT_MS) + 1
    const wakes = wakesOf(await look())
    process.stdout.write(`without a minimum residence: ${wakes} swaps, where ${bound} were the most with one of ${MIN_RESIDENT_MS} ms\n`)
    expect(failures).toEqual([])
    expect(wakes).toBeGreaterThan(bound)
  })

  it('several are awake together as far as their memory is enough', async () => {
    const url = await build({ mib: 35_000, gpus: '{ perReplica: 1, share: true }' }).up()
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
    await openai.chat.completions.create({ model: 'code', messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 })
    expect(stateOf(await look())).toEqual(['awake', 'awake', 'resting'])
    expect(gpu?.used).toBe(70_000)
    await openai.chat.completions.create({ model: 'read', messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 })
    const status = await look()
    expect(status.pools[2]?.residency?.state).toBe('awake')
    expect(stateOf(status).filter((state) => state === 'awake')).toHaveLength(2)
  })
})

describe('a pool that rests', () => {
  it('is put to rest by `lb unload`, gives its memory back, and comes back with the next request', async () => {
    const url = await build({ args: ', wakeMs: 50' }).up()
    const here = house ?? expect.fail()
    expect((await here.lb(['unload', 'chat'])).code).toBe(0)
    await until(async () => stateOf(await look())[0] === 'resting')
    expect(gpu?.used).toBe(300)
    expect((await here.lb(['unload', '--all'])).stderr).toContain('no pool that shares accelerators is in memory')
    expect((await here.lb(['unload', 'chat', '--all'])).stderr).toContain('contradict each other')
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
    await openai.chat.completions.create({ model: 'chat', messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 })
    expect(stateOf(await look())).toEqual(['awake', 'resting', 'resting'])
    const all = await here.lb(['unload', '--all', '--yes', '--json'])
    expect((JSON.parse(all.stdout) as { pool: string }[]).map(({ pool }) => pool)).toEqual(['chat'])
    await until(async () => stateOf(await look())[0] === 'resting')
    const events = await (house ?? expect.fail()).lb(['status'])
    expect(events.stdout).toContain('asleep')
  })

  it('goes to rest by itself once nobody has asked for a while', async () => {
    const here = build({ residency: '{ minResident: 100ms, idleUnload: 300ms }' })
    const plan = await here.lb(['plan'])
    expect([plan.code, plan.stdout.includes('would not start'), plan.stdout.match(/GPU 0/g)?.length]).toEqual([0, false, MODELS.length])
    await here.up()
    await until(async () => stateOf(await look())[0] === 'resting')
    expect(gpu?.used).toBe(0)
  })

  it.each(isLong ? ['asleep', 'stopped'] : ['asleep'])(
    'after a kill -9 of lb in the middle of a swap (%s engines) the next one takes over what runs and goes on',
    async (how) => {
      const here = build({ residency: '{ minResident: 0s }', args: how === 'asleep' ? ', wakeMs: 400' : '' })
      const url = await here.up()
      const asking = fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'code', messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 }),
      }).catch(() => undefined)
      await until(async () => stateOf(await look())[0] !== 'awake')
      for (const each of here.survivors()) if (!isEngine(each)) process.kill(each, 'SIGKILL')
      await asking
      const again = await here.up()
      expect(here.survivors().filter(isEngine).length).toBeLessThanOrEqual(MODELS.length)
      const openai = new OpenAI({ baseURL: `${again}/v1`, apiKey: 'none', maxRetries: 0 })
      for (const model of MODELS) {
        const answer = await openai.chat.completions.create({ model, messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 })
        expect(answer.choices[0]?.finish_reason).toBe('length')
      }
    },
  )

  it.runIf(isLong)(
    'and whose engine does not start: its clients are told at once, others have the card, and it is tried again by itself',
    async () => {
      const here = build({ residency: '{ minResident: 500ms, wakeWithin: 60s }', args: ', wakeMs: 50' })
      const broken = here.write('broken', '')
      const command = `command: [sh, -c, 'test -e ${broken} && exit 1; exec "$@"', lb, ${process.execPath}], restarts: { max: 1, within: 60s }, `
      const [before = '', after = ''] = readFileSync(join(here.cwd, 'lb.yaml'), 'utf8').split('  code:')
      here.write('lb.yaml', `${before}  code:${after.replace('launch: { ', `launch: { ${command}`)}`)
      const url = await here.up()
      const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, timeout: 90_000 })
      const asked = (model: string) =>
        openai.chat.completions.create({ model, messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 }).then(
          () => 'answered',
          (error: unknown) => String(error),
        )
      const waited = await asked('code')
      expect(waited).toMatch(/503 .*could not be woken|503 .*failed/)
      const sinceMs = performance.now()
      expect(await asked('code')).toMatch(/503 /)
      expect(performance.now() - sinceMs).toBeLessThan(5_000)
      expect(await asked('chat')).toBe('answered')
      rmSync(broken)
      await until(async () => (await asked('code')) === 'answered', 60_000)
      expect(await asked('chat')).toBe('answered')
    },
    180_000,
  )
})

/** Balancer and keeper carry no mark. */
function isEngine(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes('\0LB_NODE=')
  } catch {
    return true
  }
}
