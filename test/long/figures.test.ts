/** Figures of the first issue, measured on this machine and printed beside their limits. Nightly: `npm run test:long`. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { get, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, binary, simTopology, until } from '../e2e/house.js'

let house: House
let url: string
const figures: string[] = []

beforeAll(async () => {
  house = new House(simTopology({ replicas: 1, profile: '8b-h100' }))
  url = await house.up()
})

afterAll(async () => {
  await house.lb(['down', '--force'])
  await house.close()
  process.stdout.write(`\n${figures.join('\n')}\n`)
})

function note(what: string, value: number, limit: number, unit: string): void {
  figures.push(`${what.padEnd(52)} ${value.toFixed(1).padStart(8)} ${unit}   limit ${limit} ${unit}`)
  expect(value, what).toBeLessThan(limit)
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** User + system CPU of one run of the binary, in milliseconds, as the kernel counts it. */
function cpuMs(args: readonly string[]): number {
  const shell = spawnSync('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>/dev/null', 'bash', binary, ...args], {
    cwd: house.cwd,
    env: house.env,
    encoding: 'utf8',
  })
  const [user, system] = shell.stderr.trim().split(/\s+/).slice(-2).map(Number)
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) * 1000
}

describe('the first light figures', () => {
  it('CPU of the commands', () => {
    const median = (args: string[]) =>
      quantile(
        Array.from({ length: 7 }, () => cpuMs(args)),
        0.5,
      )
    note('lb --version, CPU', median(['--version']), 60, 'ms')
    note('lb status, CPU', median(['status']), 250, 'ms')
  })

  it('memory of an idle balancer with one pool', async () => {
    const { pid } = await house.status()
    const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    note('balancer RSS, one idle pool', kilobytes / 1024, 90, 'MiB')
  })

  it('lb up --sim until ready', async () => {
    const other = new House()
    const startedAt = performance.now()
    const up = await other.lb(['up', '--sim', '--detach'])
    const tookMs = performance.now() - startedAt
    await other.lb(['down', '--force'])
    await other.close()
    expect(up.code, up.stderr).toBe(0)
    note('lb up --sim --detach until ready', tookMs / 1000, 2, 's')
  })

  it('a client that leaves mid-stream frees the slot, 200 times', async () => {
    const engine = (await house.status()).pools[0]?.nodes[0]?.url ?? ''
    const tookMs: number[] = []
    for (let round = 0; round < 200; round += 1) {
      await leaveMidStream()
      const leftAt = performance.now()
      await until(async () => (await running(engine)) === 0, 5_000)
      tookMs.push(performance.now() - leftAt)
    }
    note('slot freed after a client left, p99 of 200', quantile(tookMs, 0.99), 50, 'ms')
  })
})

function leaveMidStream(): Promise<void> {
  const body = JSON.stringify({ model: 'sim-8b', stream: true, max_tokens: 3000, messages: [{ role: 'user', content: 'a long story' }] })
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' } }, (answer) => {
      answer.on('error', () => undefined)
      answer.on('data', (part: Buffer) => {
        if (!part.includes('"content":"')) return
        sent.destroy()
        resolve()
      })
    })
    sent.on('error', (error) => (sent.destroyed ? undefined : reject(error)))
    sent.end(body)
  })
}

function running(engine: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`${engine}/metrics`, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () => resolve(Number(/^vllm:num_requests_running\{.*\} (\d+)/m.exec(text)?.[1])))
    }).on('error', reject)
  })
}
