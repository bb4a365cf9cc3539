/** Row f of the promises at its full size: slow readers and idle streams cost little memory and nobody else's time. Nightly: `npm run test:long`. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { House } from '../e2e/house.js'
import type { LatencyWindow } from '../hostile/latency-probe.js'

const SLOW_CLIENTS = 1_000
/** Of them, those whose engine pours as fast as it is let: the brakes must hold. */
const FIREHOSES = 50
const IDLE_STREAMS = 5_000
const BYTES_PER_SECOND = 1_024
/** One window's ratio says little (+-35 %), and the mean of 200 is good for 3 %. */
const WINDOWS = 100
const MOST_RSS_MIB = 250

/** Two gateways alike. The strangers are at the first one, then at the second: what the machine takes falls on both, and what the two differ by cancels out. */
const houses: House[] = []
let engine: Server
const sockets: Socket[] = []
const timers: NodeJS.Timeout[] = []
const talkers: Socket[] = []
const slowReaders: { readonly socket: Socket; readonly bytes: number }[] = []

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const event = (padding: string): string => chunk(`data: {"choices":[{"index":0,"delta":{"content":"hi "}}],"obfuscation":"${padding}"}\n\n`)
/** Long events of little text, as OpenAI pads them: what is held is buffers, not the ledger of delivered text. */
const LINE = event('x'.repeat(4_000))
const MODELS = JSON.stringify({
  object: 'list',
  data: ['slow', 'idle', 'hose'].map((id) => ({ id, object: 'model', created: 1, owned_by: 'test' })),
})

/** Answers by the body's user: `idle` one event and then nothing, `hose` all that is taken, `slow` some 4 KB a second. */
function serve(socket: Socket): void {
  let text = ''
  socket.on('error', () => undefined)
  socket.setEncoding('latin1').on('data', (more: string) => {
    text += more
    if (text.startsWith('GET')) {
      if (text.endsWith('\r\n\r\n')) socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${MODELS.length}\r\n\r\n${MODELS}`)
      return
    }
    if (!text.endsWith('}')) return
    const kind = /"model":"(\w+)"/.exec(text)?.[1]
    text = ''
    socket.write(`${HEAD}${event('')}`)
    if (kind === 'hose') pour(socket)
    if (kind === 'slow') talkers.push(socket)
  })
}

/** Most that is made up for at once after this process was late. */
const MOST_AT_ONCE = 6

/**
 * Does one job for each member of a growing list once a second, evenly over the second: streams of strangers do not beat in time,
 * and a burst of many at once would measure this process and not `lb`. Returns the share of its jobs that it came to do.
 */
function evenly<T>(members: readonly T[], job: (member: T) => void): () => number {
  const startedMs = performance.now()
  let [turn, done, leftOut] = [0, 0, 0]
  const step = (): void => {
    const due = ((performance.now() - startedMs) / 1_000) * Math.max(1, members.length)
    // What is late is left out, not made up for in a burst.
    const late = Math.max(0, due - turn - MOST_AT_ONCE)
    turn += late
    leftOut += late
    for (; turn < due && members.length > 0; turn += 1, done += 1) job(members[Math.floor(turn) % members.length] as T)
  }
  timers.push(setInterval(step, 1))
  return () => done / (done + leftOut)
}

function pour(socket: Socket): void {
  while (!socket.destroyed && socket.write(LINE));
  socket.once('drain', () => pour(socket))
}

beforeAll(async () => {
  engine = createServer(serve)
  await new Promise<void>((resolve) => engine.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  const attach = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`
  for (let index = 0; index < 2; index += 1) {
    houses.push(
      new House(`version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  streams:
    models: [slow, idle, hose]
    timeouts: { idle: 10m }
    nodes: [{ name: origin, engine: openai, attach: ${attach} }]
  quick:
    models: [quick]
    nodes: [{ name: sim, engine: sim, launch: { args: { profile: instant } } }]
`),
    )
  }
})

afterAll(async () => {
  sendAway()
  for (const house of houses) {
    await house.lb(['down', '--force'])
    await house.close()
  }
  engine.close()
})

function sendAway(): void {
  for (const timer of timers.splice(0)) clearInterval(timer)
  for (const socket of sockets.splice(0)) socket.destroy()
  talkers.length = 0
  slowReaders.length = 0
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

/** What the requests of another client take here and beside, at the same time. */
interface Seen {
  /** Medians of the windows. */
  readonly p99Ms: number
  readonly besideMs: number
  /** Of each window, its p99 here over its p99 beside. */
  readonly ratios: readonly number[]
  readonly failed: number
}

async function windows(here: string, beside: string): Promise<Seen> {
  const main = fileURLToPath(new URL('../hostile/latency-probe.ts', import.meta.url))
  const child = spawn(process.execPath, [main, here, beside], { stdio: ['ignore', 'pipe', 'inherit'] })
  const seen: (readonly [LatencyWindow, LatencyWindow])[] = []
  let text = ''
  for await (const part of child.stdout) {
    text += String(part)
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      seen.push(JSON.parse(text.slice(0, end)) as [LatencyWindow, LatencyWindow])
      text = text.slice(end + 1)
    }
    // The first window warms up.
    if (seen.length > WINDOWS) break
  }
  child.kill('SIGKILL')
  const measured = seen.slice(1)
  return {
    p99Ms: median(measured.map(([one]) => one.p99Ms)),
    besideMs: median(measured.map(([, other]) => other.p99Ms)),
    ratios: measured.map(([one, other]) => one.p99Ms / other.p99Ms),
    failed: measured.reduce((sum, [one, other]) => sum + one.failed + other.failed, 0),
  }
}

function open(port: number, model: string, readsPerSecond: number | undefined): Promise<void> {
  const body = JSON.stringify({ model, stream: true, stream_options: { include_usage: true }, messages: [] })
  const socket = connect({ port, host: '127.0.0.1' })
  sockets.push(socket)
  socket.on('error', () => undefined)
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  return new Promise((resolve) => {
    socket.once('readable', () => resolve())
    if (readsPerSecond === undefined) socket.once('readable', () => socket.resume())
    else slowReaders.push({ socket, bytes: readsPerSecond })
  })
}

async function inLanes(count: number, job: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (next < count) await job(next++)
    }),
  )
}

interface Crowded {
  readonly seen: Seen
  readonly startMib: number
  readonly mostMib: number
  /** Of the events and reads that were due, those that took place. */
  readonly shares: readonly [number, number]
  readonly lost: number
}

async function crowd(house: House, url: string, beside: string): Promise<Crowded> {
  const { pid } = await house.status()
  const rssMib = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  const startMib = rssMib()
  const port = Number(new URL(url).port)
  await inLanes(IDLE_STREAMS, () => open(port, 'idle', undefined))
  await inLanes(SLOW_CLIENTS, (index) => open(port, index < FIREHOSES ? 'hose' : 'slow', BYTES_PER_SECOND))
  const eventShare = evenly(talkers, (socket) => void (socket.writableLength < 65_536 && socket.write(LINE)))
  const readShare = evenly(slowReaders, ({ socket, bytes }) => void socket.read(Math.min(bytes, socket.readableLength)))
  let mostMib = 0
  timers.push(setInterval(() => (mostMib = Math.max(mostMib, rssMib())), 250))
  const seen = await windows(url, beside)
  const lost = sockets.filter((socket) => socket.destroyed).length
  const shares = [eventShare(), readShare()] as const
  sendAway()
  return { seen, startMib, mostMib, shares, lost }
}

it('1,000 clients at 1 KB/s and 5,000 idle streams', async () => {
  const [first, second] = houses as [House, House]
  const [firstUrl, secondUrl] = [await first.up(), await second.up()]
  const both = [await crowd(first, firstUrl, secondUrl), await crowd(second, secondUrl, firstUrl)]
  const ratios = both.map(({ seen }) => geometricMean(seen.ratios))
  const ratio = geometricMean(ratios)
  const most = Math.max(...both.map(({ mostMib }) => mostMib))
  const failed = both.reduce((sum, { seen }) => sum + seen.failed, 0)
  const least = Math.min(...both.flatMap(({ shares }) => shares))
  process.stdout.write(
    `\nslow clients (n = ${SLOW_CLIENTS} at ${BYTES_PER_SECOND} B/s, ${FIREHOSES} of them behind an engine that pours; ${IDLE_STREAMS} idle streams):\n` +
      both
        .map(
          ({ seen, startMib, mostMib }, index) =>
            `  at gateway ${index + 1}: RSS ${startMib.toFixed(0)} MiB before, ${mostMib.toFixed(0)} at most (limit ${MOST_RSS_MIB}); ` +
            `another client's p99 ${seen.p99Ms.toFixed(2)} ms, at the gateway beside ${seen.besideMs.toFixed(2)} ms\n`,
        )
        .join('') +
      `  ratios ${ratios.map((one) => one.toFixed(2)).join(' and ')}, their mean ${ratio.toFixed(2)}   limit 1.10 (requests in turn, of ${WINDOWS} windows of 400 each)\n` +
      `  of the events and reads that were due ${(100 * least).toFixed(0)} % took place   at least 80 %\n` +
      `  failed ${failed} of ${4 * WINDOWS * 400}\n`,
  )
  expect(both.map(({ lost }) => lost)).toEqual([0, 0])
  expect(failed).toBe(0)
  expect(least).toBeGreaterThan(0.8)
  expect(most).toBeLessThan(MOST_RSS_MIB)
  expect(ratio).toBeLessThan(1.1)
}, 1_200_000)
