/**
 * The balancer in a process of its own, with both doors open, so that a crash is an exit and a stalled event loop can be measured from inside.
 * Run by Node.js as it stands (types are stripped): only whole packages are imported here.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBalancer, defineTopology } from '@plimsoll/core'
import { plugin as openai } from '@plimsoll/plugin-openai'

/** Where the doors are. */
export interface Opened {
  readonly kind: 'opened'
  readonly handler: number
  readonly listen: number
}

/** What the process says of itself; the peaks are those since the last question. */
export interface Facts {
  readonly kind: 'facts'
  /** Longest time that the event loop kept everybody waiting, as far as it spent it itself: a core taken away by another program is no stall. */
  readonly stallMs: number
  readonly rssBytes: number
  readonly peakRssBytes: number
  readonly settled: number
}

/** The host's own server decides about slow heads at the handler door; Node.js's default would be a minute. */
const HOST_HEADERS_TIMEOUT_MS = 3_000
const TICK_MS = 4

const [engineUrl = '', idle = '2s', firstToken = '2s'] = process.argv.slice(2)
const balancer = createBalancer({
  topology: defineTopology({
    version: 1,
    name: 'hostile',
    pools: {
      p: {
        models: ['m'],
        nodes: [{ name: 'origin', engine: 'openai', attach: engineUrl }],
        timeouts: { firstToken, idle },
        // One engine, asked once: what it says is what the client gets.
        retries: { max: 0, wait: '0s' },
        health: { interval: '5s', fall: 100 },
      },
    },
  }),
  engines: [openai],
})
let settled = 0
balancer.on('settled', () => (settled += 1))
await balancer.start()

let stallMs = 0
let lastMs = performance.now()
let lastCpu = process.threadCpuUsage()
setInterval(tick, TICK_MS).unref()
let peakRssBytes = 0
setInterval(() => (peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())), 20).unref()

const server = createServer({ headersTimeout: HOST_HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 200 }, balancer.handler)
await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve))
const url = await balancer.listen({ host: '127.0.0.1', port: 0 })

function tick(): void {
  const nowMs = performance.now()
  const cpu = process.threadCpuUsage()
  const busyMs = (cpu.user - lastCpu.user + cpu.system - lastCpu.system) / 1000
  stallMs = Math.max(stallMs, Math.min(nowMs - lastMs - TICK_MS, busyMs))
  lastMs = nowMs
  lastCpu = cpu
}

process.on('message', () => {
  tick()
  const facts: Facts = {
    kind: 'facts',
    stallMs,
    rssBytes: process.memoryUsage.rss(),
    peakRssBytes,
    settled,
  }
  stallMs = 0
  peakRssBytes = facts.rssBytes
  process.send?.(facts)
})
process.on('disconnect', () => process.exit(0))
const opened: Opened = { kind: 'opened', handler: (server.address() as AddressInfo).port, listen: Number(new URL(url).port) }
process.send?.(opened)
