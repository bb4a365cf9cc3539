/** Row g of the promises: ten minutes at 80 % load with a node killed each 5 s leave nothing behind. LB_SOAK_MINUTES shortens it. Nightly: `npm run test:long`. */
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { afterAll, expect, it } from 'vitest'
import { House, simTopology, until } from '../e2e/house.js'

const minutes = Number(process.env['LB_SOAK_MINUTES'] ?? 10)
/** The slope counts from here: pools, code and heap have their size. */
const warmUpMs = Math.min(120_000, minutes * 60_000 * 0.4)
const KILL_EVERY_MS = 5_000
const SHARE = 0.8
/** Killed in turn, each lives for over a minute: a node that dies sooner, again and again, is held back as one that crashes in a loop. */
const NODES = 14
/** A short run sees the heap find its size; only the full one says something about leaks. */
const mostSlope = minutes >= 10 ? 1 : Number.POSITIVE_INFINITY
const agent = new Agent({ keepAlive: true, maxSockets: 512 })
let house: House

afterAll(async () => {
  agent.destroy()
  await house.lb(['down', '--force'])
  await house.close()
})

const tally = { sent: 0, whole: 0, cut: 0, failed: 0 }
/** Why requests failed, and how often. */
const reasons = new Map<string, number>()

/** One request, every third a stream; counts how it ended. */
function ask(url: string, index: number): Promise<void> {
  const stream = index % 3 === 0
  const body = JSON.stringify({ model: 'sim-8b', stream, max_tokens: 16, messages: [{ role: 'user', content: `story ${index % 500}` }] })
  tally.sent += 1
  return new Promise((resolve) => {
    const ended = (kind: 'whole' | 'cut' | 'failed', why = ''): void => {
      tally[kind] += 1
      if (kind === 'failed') reasons.set(why, (reasons.get(why) ?? 0) + 1)
      resolve()
    }
    const sent = request(
      `${url}/v1/chat/completions`,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (answer) => {
        let tail = ''
        answer.setEncoding('utf8').on('data', (part: string) => (tail = `${tail}${part}`.slice(-400)))
        answer.on('end', () => {
          if (answer.statusCode !== 200) return ended('failed', `${answer.statusCode} ${/"code":"(\w+)"/.exec(tail)?.[1] ?? tail}`)
          ended(!stream || tail.includes('[DONE]') ? 'whole' : 'cut')
        })
        answer.on('error', () => ended('cut'))
      },
    )
    sent.on('error', (error: NodeJS.ErrnoException) => ended('failed', error.code ?? error.message))
    sent.end(body)
  })
}

/** Requests a second when nobody waits for anything else. */
async function capacity(url: string): Promise<number> {
  const endsAt = performance.now() + 5_000
  let count = 0
  await Promise.all(
    Array.from({ length: 64 }, async (_, lane) => {
      while (performance.now() < endsAt) await ask(url, lane + (count += 1))
    }),
  )
  return count / 5
}

/** Megabytes a minute, by least squares. */
function slope(samples: readonly { readonly atMs: number; readonly mib: number }[]): number {
  const meanAt = samples.reduce((sum, one) => sum + one.atMs, 0) / samples.length
  const mean = samples.reduce((sum, one) => sum + one.mib, 0) / samples.length
  const above = samples.reduce((sum, one) => sum + (one.atMs - meanAt) * (one.mib - mean), 0)
  const below = samples.reduce((sum, one) => sum + (one.atMs - meanAt) ** 2, 0)
  return (above / below) * 60_000
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

it(
  `${minutes} minutes at 80 % load with a node killed each 5 s`,
  async () => {
    house = new House(simTopology({ replicas: NODES }).replace('args:', 'restarts: { max: 1000, within: 10m }, args:'))
    const url = await house.up()
    const { pid } = await house.status()
    const rssMib = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
    const open = (): { fds: number; threads: number } => ({
      fds: readdirSync(`/proc/${pid}/fd`).length,
      threads: readdirSync(`/proc/${pid}/task`).length,
    })
    const perSecond = (await capacity(url)) * SHARE
    agent.destroy()
    await pause(6_000)
    const before = { ...open(), rss: rssMib() }
    Object.assign(tally, { sent: 0, whole: 0, cut: 0, failed: 0 })

    const startedMs = performance.now()
    const endsMs = startedMs + minutes * 60_000
    const samples: { atMs: number; mib: number }[] = []
    let [kills, turn, nextKillMs, nextSampleMs] = [0, 0, startedMs + KILL_EVERY_MS, startedMs]
    const underWay = new Set<Promise<void>>()
    while (performance.now() < endsMs) {
      const nowMs = performance.now()
      const due = Math.min(200, Math.floor(((nowMs - startedMs) / 1000) * perSecond) - tally.sent)
      for (let index = 0; index < due && underWay.size < 2_000; index += 1) {
        const one: Promise<void> = ask(url, tally.sent).finally(() => underWay.delete(one))
        underWay.add(one)
      }
      if (nowMs >= nextSampleMs) {
        nextSampleMs += 1_000
        if (nowMs - startedMs >= warmUpMs) samples.push({ atMs: nowMs, mib: rssMib() })
      }
      if (nowMs >= nextKillMs) {
        nextKillMs += KILL_EVERY_MS
        kills += await killNext((turn += 1))
      }
      await pause(10)
    }
    await Promise.all(underWay)
    agent.destroy()
    await until(
      async () => ((await house.status()).pools[0]?.nodes ?? []).every(({ state, inFlight }) => state === 'ready' && inFlight === 0),
      60_000,
    )
    await pause(8_000)
    const after = { ...open(), rss: rssMib() }
    const perMinute = slope(samples)
    process.stdout.write(
      `\nsoak, ${minutes} min at ${perSecond.toFixed(0)} requests/s (80 %), ${kills} kills: ${tally.sent} sent, ${tally.whole} whole, ${tally.cut} streams cut, ${tally.failed} failed ${JSON.stringify(Object.fromEntries(reasons))}\n` +
        `  RSS slope ${perMinute.toFixed(2)} MB/min over ${samples.length} samples   limit ${mostSlope} MB/min; ${before.rss.toFixed(0)} MiB before, ${after.rss.toFixed(0)} MiB after\n` +
        `  descriptors ${before.fds} before, ${after.fds} after; threads ${before.threads} before, ${after.threads} after\n`,
    )
    expect(kills).toBeGreaterThan((minutes * 60_000) / KILL_EVERY_MS / 2)
    expect(tally.failed).toBe(0)
    expect(after.fds).toBeLessThanOrEqual(before.fds + 2)
    expect(after.threads).toBeLessThanOrEqual(before.threads)
    expect(perMinute).toBeLessThan(mostSlope)
  },
  (minutes + 3) * 60_000,
)

/** kill -9 of the process of the next node in turn; 0 where it is not ready. */
async function killNext(turn: number): Promise<number> {
  const node = (await house.status()).pools[0]?.nodes[turn % NODES]
  if (node?.state !== 'ready' || node.pid === null) return 0
  process.kill(node.pid, 'SIGKILL')
  return 1
}
