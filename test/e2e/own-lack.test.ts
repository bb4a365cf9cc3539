import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { text as readAll } from 'node:stream/consumers'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { House, simTopology } from './house.js'
import { chat } from './thread-load.js'

const CLIENTS = 60
/** Descriptors that are left for engines, probes and everything else. */
const LEFT = 12
const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0

let house: House
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS, maxFreeSockets: CLIENTS })

afterEach(async () => {
  agent.destroy()
  await house.close()
})

interface Told {
  readonly status: number | undefined
  readonly text: string
}

function ask(url: string, body?: string): Promise<Told> {
  return new Promise((resolve, reject) => {
    const options = body === undefined ? { agent } : { agent, method: 'POST', headers: { 'content-type': 'application/json' } }
    const sent = request(url, options, (answer) => {
      readAll(answer).then((text) => resolve({ status: answer.statusCode, text }), reject)
    })
    sent.once('error', reject).end(body)
  })
}

const all = (count: number, one: (at: number) => Promise<Told>): Promise<Told[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => one(at)))

/** Everything that the balancer has logged. */
function log(): string {
  const root = join(house.folder, 'state')
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('lb.log'))
  return paths.map((path) => readFileSync(join(root, path), 'utf8')).join('')
}

it.skipIf(!hasPrlimit)('a balancer that has no file descriptor left says so, and blames none of its nodes', async () => {
  house = new House(simTopology({ replicas: 2, profile: 'laptop-3b', more: '    retries: { wait: 300ms }' }))
  const url = await house.up()
  const { pid } = await house.status()
  const stream = (at: number): Promise<Told> =>
    ask(`${url}/v1/chat/completions`, chat(`question ${at}`, 30, { stream: true, ignore_eos: true }))

  // The clients are all in before anything else is taken.
  expect((await all(CLIENTS, () => ask(`${url}/v1/models`))).every(({ status }) => status === 200)).toBe(true)
  const most = readdirSync(`/proc/${pid}/fd`).length + LEFT
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${most}:${most}`])
  const crowd = await all(CLIENTS, stream)
  const refused = crowd.filter(({ status }) => status !== 200)
  expect(refused.length).toBeGreaterThan(0)
  for (const { status, text } of refused) expect([status, text]).toEqual([503, expect.stringContaining('LB_NO_DESCRIPTOR')])
  expect(crowd.filter(({ status }) => status === 200).every(({ text }) => text.includes('[DONE]'))).toBe(true)
  expect(log()).toContain('lb has no file descriptor left')
  expect(log()).not.toContain('"to":"suspect"')
  // Whoever leaves makes room, for those who look at the balancer too.
  agent.destroy()
  expect((await house.status()).pools[0]?.nodes.map(({ state }) => state)).toEqual(['ready', 'ready'])

  expect((await all(LEFT / 3, stream)).map(({ status }) => status)).toEqual(Array<number>(LEFT / 3).fill(200))
})
