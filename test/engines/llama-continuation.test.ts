/** Answers of a real llama-server that break off and are gone on with, at temperature 0: how many of them are the unbroken ones. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBalancer, defineTopology } from '@plimsoll/core'
import { plugin as llamacpp } from '@plimsoll/plugin-llamacpp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CutPlan, startCuttingProxy } from '../e2e/cutting-proxy.js'
import type { TcpProxy } from '../e2e/tcp-proxy.js'
import { until } from '../e2e/house.js'
import { readStream, type Ask, type Seen } from '../e2e/stream-reader.js'
import { namedEngine } from './named-engine.js'
import { freePort } from './ollama-server.js'
import { makeModel } from './random-models.js'

const command = namedEngine('LB_TEST_LLAMA_SERVER')
const TOKENS = 60
const NEVER = 1_000_000
const CUTS = [1, 2, 5, 11, 17, 23, 31, 42, 53, 59]

const asks: Readonly<Record<'chat' | 'completions', Ask>> = {
  chat: { path: 'chat', body: { messages: [{ role: 'user', content: 'sahi wa nulo' }], ...common() } },
  completions: { path: 'completions', body: { prompt: 'sahi wa nulo ', ...common() } },
}

function common() {
  return { max_tokens: TOKENS, temperature: 0, stream: true, stream_options: { include_usage: true } }
}

describe.skipIf(command === undefined)('an answer of a real llama-server that breaks off', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lb-continuation-'))
  const plan = new CutPlan()
  const proxies: TcpProxy[] = []
  let engine: ChildProcess | undefined
  let balancer: ReturnType<typeof createBalancer> | undefined
  let front: Server | undefined
  let direct = ''
  let url = ''

  beforeAll(async () => {
    const port = await freePort()
    direct = `http://127.0.0.1:${port}`
    const model = makeModel('gguf', join(folder, 'tiny.gguf'))
    engine = spawn(command ?? '', ['-m', model, '-c', '8192', '-np', '2', '-t', '1', '--port', String(port)], { stdio: 'ignore' })
    await until(async () => (await fetch(`${direct}/health`).catch(() => undefined))?.status === 200, 30_000)
    for (let index = 0; index < 2; index += 1) proxies.push(await startCuttingProxy(port, plan))
    const pool = (continuation: 'exact' | 'text') => ({
      continuation,
      strategy: 'round-robin',
      health: { eject: 'off' as const },
      nodes: [{ name: 'n', engine: 'llamacpp', attach: proxies.map((proxy) => proxy.url) }],
    })
    balancer = createBalancer({
      topology: defineTopology({ name: 'cut', pools: { exact: pool('exact'), text: pool('text') } }),
      engines: [llamacpp],
    })
    await balancer.start()
    const server = createServer((incoming, response) => balancer?.handler(incoming, response))
    front = server
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }, 60_000)

  afterAll(async () => {
    front?.closeAllConnections()
    front?.close()
    await balancer?.close()
    for (const proxy of proxies) await proxy.close()
    engine?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  /** The stream cut behind so many whole events, and behind so many again. */
  async function cutAt(face: keyof typeof asks, pool: string, events: readonly number[]): Promise<Seen> {
    const requestId = `${face}-${pool}-${events.join('-')}`
    const cuts = events.map((event) => ({ event, at: 'between', how: 'reset' }) as const)
    // Between two tries the prompt is asked for, where ids are to stand behind it; that answer is not cut.
    const asksPrompt = face === 'chat' && pool === 'exact'
    plan.set(requestId, ...cuts.flatMap((cut) => (asksPrompt ? [cut, { ...cut, event: NEVER }] : [cut])))
    const seen = await readStream(url, asks[face], { model: pool, requestId })
    expect(plan.made.filter((id) => id === requestId)).toHaveLength(events.length)
    expect(seen.raw.match(/^: lb continued this answer on/gmu)).toHaveLength(events.length)
    return seen
  }

  it.each([
    ['chat', 'exact'],
    ['completions', 'exact'],
    ['chat', 'text'],
    ['completions', 'text'],
  ] as const)('is gone on with: %s, %s', async (face, pool) => {
    const unbroken = await readStream(direct, asks[face], { model: pool })
    expect(await readStream(url, asks[face], { model: pool })).toMatchObject({ text: unbroken.text, error: undefined })
    let equal = 0
    // The first event of a chat is its role: behind that, nothing was said yet.
    const cuts = [...CUTS.map((event) => [face === 'chat' ? event + 1 : event]), [7, 9], [20, 20]]
    for (const events of cuts) {
      const seen = await cutAt(face, pool, events)
      expect(seen.error).toBeUndefined()
      // llama-server tells the time of each event, so `created` is not one value even in an unbroken answer.
      expect([seen.ids, seen.finishReason]).toEqual([1, unbroken.finishReason])
      const usage = seen.usages.at(-1)
      expect([seen.usages.length, usage?.completion_tokens]).toEqual([1, TOKENS])
      // What the client has is never said again.
      const [first = 0] = events
      const given = textOfEvents(unbroken, first)
      expect(seen.text.startsWith(given)).toBe(true)
      expect(seen.text.startsWith(given + given)).toBe(unbroken.text.startsWith(given + given))
      if (seen.text === unbroken.text) equal += 1
      if (pool === 'exact') expect(seen.text).toBe(unbroken.text)
    }
    process.stdout.write(`  llama-server, temperature 0, ${face}, ${pool}: ${equal} of ${cuts.length} cuts equal to the unbroken answer\n`)
  })
})

function textOfEvents({ raw }: Seen, events: number): string {
  const texts = raw
    .split('\n\n')
    .slice(0, events)
    .map((event) => /"(?:content|text)":("(?:[^"\\]|\\.)*")/u.exec(event)?.[1] ?? '""')
  return texts.map((text) => JSON.parse(text) as string).join('')
}
