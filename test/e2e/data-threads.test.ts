import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House, isLong, simTopology, until, type NodeRow, type StatusDocument } from './house.js'
import { answersIn, chat, control, load, mixedBodies, post, prefixedBodies, spread, threadTicks, type Tally } from './thread-load.js'

const NODES = 4

type ThreadedStatus = StatusDocument & { readonly gateway: { readonly threads: number } }

let house: House

afterEach(async () => {
  await house.close()
})

function declare(workers: number, profile = 'instant', more = ''): void {
  house = new House(simTopology({ replicas: NODES, profile, more }).replace('127.0.0.1:0 }', `127.0.0.1:0, workers: ${workers} }`))
}

const status = async (): Promise<ThreadedStatus> => (await house.status()) as ThreadedStatus
const nodes = async (): Promise<readonly NodeRow[]> => (await status()).pools[0]?.nodes ?? []
const short = (count: number): string[] => Array.from({ length: count }, (_, index) => chat(`hello ${index}`, 8))

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Sum of the series whose lines begin so, or look so. */
function sumOf(metrics: string, series: string | RegExp): number {
  const lines = metrics.split('\n').filter((line) => (typeof series === 'string' ? line.startsWith(series) : series.test(line)))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** A record may be on its way from a thread for a moment. */
async function allSettled(): Promise<void> {
  await until(async () => (await nodes()).every((node) => node.inFlight === 0))
}

describe('two data threads', () => {
  it('both serve; metrics, status and request records count the requests of both, once', async () => {
    declare(2)
    const url = await house.up()
    const { pid, gateway } = await status()
    expect(gateway.threads).toBe(2)
    const before = threadTicks(pid)
    expect([...before.keys()].sort()).toEqual(['lb-data-1', 'lb-data-2'])
    let asked = 0
    do {
      const plain = await load(url, short(150), { concurrency: 50 })
      expect(plain.failed).toEqual([])
      const streams = await Promise.all(Array.from({ length: 10 }, () => post(url, chat('stream', 8, { stream: true }))))
      for (const { text } of streams) expect(text).toMatch(/data: \[DONE\]\s*$/)
      asked += 160
    } while (asked < 960 && [...threadTicks(pid)].some(([name, ticks]) => ticks <= (before.get(name) ?? 0)))
    expect([...threadTicks(pid)].every(([name, ticks]) => ticks > (before.get(name) ?? 0))).toBe(true)

    const countAll = async (): Promise<number[]> => {
      const { requests } = await control<{ requests: { id: string; outcome: string }[] }>(house, '/v1/requests?limit=1000')
      const byNode = (await nodes()).reduce((sum, node) => sum + node.requests, 0)
      const unique = new Set(requests.filter((each) => each.outcome === 'ok').map((each) => each.id)).size
      return [answersIn(await (await fetch(`${url}/metrics`)).text()), byNode, requests.length, unique]
    }
    await until(async () => (await countAll()).every((count) => count >= asked))
    expect(await countAll()).toEqual([asked, asked, asked, asked])
    await allSettled()
  })

  it.runIf(isLong)('balance as one does, and keep as much of the prefix caches', async () => {
    const runs: { readonly mixed: readonly Tally[]; readonly prefixed: Tally }[] = []
    for (const workers of [1, 2]) {
      declare(workers, '8b-h100', '    strategy: least-tokens\n')
      const url = await house.up()
      const mixed: Tally[] = []
      for (let round = 0; round < 3; round += 1) mixed.push(await load(url, mixedBodies(160), { concurrency: 50 }))
      const prefixed = await load(url, prefixedBodies(200, 10), { concurrency: 10 })
      await allSettled()
      runs.push({ mixed, prefixed })
      if (workers === 1) await house.close()
    }
    const spreads = runs.map(({ mixed }) => mean(mixed.map((tally) => spread(tally, NODES))))
    const shares = runs.map(({ prefixed }) => (100 * prefixed.cachedTokens) / prefixed.promptTokens)
    const percent = shares.map((share) => share.toFixed(1))
    process.stdout.write(
      `1 thread, 2 threads: spread ${spreads.map((value) => value.toFixed(3)).join(', ')}; cached ${percent.join(', ')} %\n`,
    )
    expect(runs.flatMap(({ mixed, prefixed }) => [...mixed, prefixed].flatMap(({ failed }) => failed))).toEqual([])
    expect(shares[0]).toBeGreaterThan(30)
    // Two may spread better than one, by chance; never worse.
    expect((spreads[1] ?? Infinity) - (spreads[0] ?? 0)).toBeLessThan(0.15)
    expect(Math.abs((shares[0] ?? 0) - (shares[1] ?? 0))).toBeLessThan(3)
  })

  it.runIf(isLong)('know of each other what caches hold: as much of the prompts is found there as by one thread', async () => {
    const shares: number[] = []
    const believed: number[] = []
    for (const workers of [1, 2]) {
      declare(workers, '8b-h100', '    strategy: lmetric\n')
      const url = await house.up()
      const tally = await load(url, prefixedBodies(1_000, 20), { concurrency: 8 })
      expect(tally.failed).toEqual([])
      shares.push((100 * tally.cachedTokens) / tally.promptTokens)
      await allSettled()
      const metrics = await (await fetch(`${url}/metrics`)).text()
      believed.push(sumOf(metrics, 'lb_believed_cached_tokens_total{') / sumOf(metrics, /^lb_tokens_total\{.*kind="cached"/))
      expect(sumOf(metrics, 'lb_mirror_blocks{')).toBeGreaterThan(100)
      if (workers === 1) await house.close()
    }
    process.stdout.write(
      `lmetric, 1 thread, 2 threads: cached ${shares.map((share) => share.toFixed(1)).join(', ')} %; believed over told ${believed.map((share) => share.toFixed(2)).join(', ')}\n`,
    )
    for (const share of believed) expect(Math.abs(share - 1)).toBeLessThan(0.15)
    // Twenty prompts of a thousand are new to all caches; what one thread computes before it hears of the other is seen once for each of them.
    expect(shares[0]).toBeGreaterThan(80)
    expect((shares[0] ?? Infinity) - (shares[1] ?? 0)).toBeLessThan(3)
  })

  it('fail no plain request when a node is killed under load', async () => {
    declare(2)
    const url = await house.up()
    const victim = (await nodes())[1]?.pid ?? 0
    const tally = await load(url, short(800), {
      concurrency: 100,
      onStarted: (started) => started === 200 && process.kill(victim, 'SIGKILL'),
    })
    expect(tally.failed).toEqual([])
    await until(async () => (await nodes())[1]?.state === 'ready' && (await nodes())[1]?.pid !== victim, 15_000)
    await until(async () => (await load(url, short(60), { concurrency: 30 })).nodes.has('demo/sim-1'))
    await allSettled()
  })

  it('both hear of drain, resume and restart', async () => {
    declare(2)
    const url = await house.up()
    const pidBefore = (await nodes())[2]?.pid
    const visited = async (count: number): Promise<Set<string>> => {
      const tally = await load(url, short(count), { concurrency: 50 })
      expect(tally.failed).toEqual([])
      return new Set(tally.nodes.keys())
    }
    expect(await visited(150)).toEqual(new Set(['demo/sim-0', 'demo/sim-1', 'demo/sim-2', 'demo/sim-3']))
    expect((await house.lb(['nodes', 'drain', 'demo/sim-1'])).code).toBe(0)
    await until(async () => !(await visited(50)).has('demo/sim-1'))
    expect(await visited(300)).toEqual(new Set(['demo/sim-0', 'demo/sim-2', 'demo/sim-3']))
    expect((await house.lb(['nodes', 'resume', 'demo/sim-1'])).code).toBe(0)
    await until(async () => (await visited(50)).has('demo/sim-1'), 15_000)
    const restarting = house.lb(['nodes', 'restart', 'demo/sim-2'])
    await visited(300)
    expect((await restarting).code).toBe(0)
    await until(async () => (await nodes())[2]?.state === 'ready' && (await nodes())[2]?.pid !== pidBefore, 15_000)
    await until(async () => (await visited(50)).has('demo/sim-2'), 15_000)
  })

  it('let begun streams end when lb goes down, and leave nothing behind', async () => {
    declare(2, 'laptop-3b')
    const url = await house.up()
    const begun = chat('a long story', 200, { stream: true, ignore_eos: true })
    let open = 12
    const answers = Array.from({ length: 12 }, () =>
      post(url, begun)
        .then(({ text }) => text, String)
        .finally(() => (open -= 1)),
    )
    await until(async () => (await nodes()).reduce((sum, node) => sum + node.inFlight, 0) === 12)
    const down = house.lb(['down'])
    await until(async () => (await fetch(`${url}/ready`).catch(() => ({ status: 503 }))).status === 503)
    expect(open).toBeGreaterThan(0)
    for (const answer of answers) expect((await answer).slice(-40)).toMatch(/data: \[DONE\]\s*$/)
    expect((await down).code).toBe(0)
    expect(house.survivors()).toEqual([])
    const left = readdirSync(join(house.folder, 'run'), { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
    expect(left).toEqual([])
    await expect(fetch(`${url}/health`)).rejects.toThrow()
  })

  it('are cut by lb down --force', async () => {
    declare(2, 'laptop-3b')
    const url = await house.up()
    const long = chat('a long story', 4_000, { stream: true, ignore_eos: true })
    const answers = Array.from({ length: 12 }, () => post(url, long).then(({ text }) => text, String))
    await until(async () => (await nodes()).reduce((sum, node) => sum + node.inFlight, 0) === 12)
    expect((await house.lb(['down', '--force'])).code).toBe(0)
    for (const answer of answers) expect(await answer).not.toContain('[DONE]')
    expect(house.survivors()).toEqual([])
  })

  it('come back with their balancer when that is killed, with no refused connect', async () => {
    declare(2)
    const url = await house.up()
    const { pid } = await status()
    const stop = new AbortController()
    const outcomes: string[] = []
    const knock = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const outcome = await post(url, chat('knock', 4)).then(({ status: code }) => String(code), String)
        outcomes.push(outcome)
      }
    }
    const knockers = Array.from({ length: 4 }, knock)
    await until(() => outcomes.length > 20)
    process.kill(pid, 'SIGKILL')
    await until(async () => (await status().catch(() => ({ pid }))).pid !== pid, 20_000)
    expect((await status()).gateway.threads).toBe(2)
    await until(() => outcomes.at(-1) === '200')
    stop.abort()
    await Promise.all(knockers)
    expect(outcomes.filter((outcome) => outcome.includes('ECONNREFUSED'))).toEqual([])
  })
})
