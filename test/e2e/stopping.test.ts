import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House, finished, simTopology, until } from './house.js'

let house: House

afterEach(async () => {
  await house.close()
})

/** A stream that runs for seconds on the laptop profile. */
async function openStream(url: string, tokens: number): Promise<{ firstByte: Promise<void>; text: Promise<string> }> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sim-8b', stream: true, max_tokens: tokens, messages: [{ role: 'user', content: 'tell me' }] }),
  })
  const reader = answer.body?.getReader()
  let text = ''
  const { promise: firstByte, resolve: first } = Promise.withResolvers<void>()
  const all = (async () => {
    for (;;) {
      const part = await reader?.read()
      if (part === undefined || part.done) return text
      text += Buffer.from(part.value).toString('utf8')
      first()
    }
  })()
  all.catch(() => undefined)
  return { firstByte, text: all }
}

describe('SIGTERM', () => {
  it('lets running streams end, refuses new ones, and leaves nothing behind', async () => {
    house = new House(simTopology({ replicas: 2, profile: 'laptop-3b' }))
    const up = house.start(['up'])
    const ended = finished(up)
    await until(async () => (await house.lb(['status', '--json'])).code === 0, 20_000)
    await until(async () => (await house.status()).pools[0]?.nodes.every((node) => node.state === 'ready') ?? false, 20_000)
    const url = (await house.status()).gateway.listen[0] ?? ''
    const stream = await openStream(url, 60)
    await stream.firstByte
    up.kill('SIGTERM')
    expect(await stream.text).toMatch(/data: \[DONE\]\s*$/)
    expect((await ended).code).toBe(0)
    await until(() => house.survivors().length === 0)
    await expect(fetch(`${url}/health`)).rejects.toThrow()
  })

  it('twice cuts what is running', async () => {
    house = new House(simTopology({ replicas: 1, profile: 'laptop-3b' }))
    const url = await house.up()
    const { pid } = await house.status()
    const stream = await openStream(url, 4_000)
    await stream.firstByte
    process.kill(pid, 'SIGTERM')
    await until(async () => (await fetch(`${url}/ready`).catch(() => ({ status: 503 }))).status === 503)
    process.kill(pid, 'SIGTERM')
    const text = await stream.text.catch(() => 'cut')
    expect(text).not.toMatch(/\[DONE\]/)
    await until(() => house.survivors().length === 0, 15_000)
  })
})

describe('lb down', () => {
  it('leaves no process and no socket behind', async () => {
    house = new House(simTopology({ replicas: 4 }))
    await house.up()
    expect(house.survivors().length).toBeGreaterThanOrEqual(6)
    const down = await house.lb(['down'])
    expect(down.code, down.stderr).toBe(0)
    expect(house.survivors()).toEqual([])
    expect(
      readdirSync(join(house.folder, 'run'), { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory()),
    ).toEqual([])
    expect((await house.lb(['status'])).code).toBe(5)
  })

  it('works from the state file when the balancer and its keeper were killed', async () => {
    house = new House(simTopology({ replicas: 2 }))
    await house.up()
    const { pid, pools } = await house.status()
    const engines = pools[0]?.nodes.map((node) => node.pid) ?? []
    for (const survivor of house.survivors()) if (!engines.includes(survivor)) process.kill(survivor, 'SIGKILL')
    await until(() => !house.survivors().includes(pid))
    const told = await house.lb(['status'])
    expect(told.code).toBe(5)
    expect(`${told.stdout}${told.stderr}`).toMatch(/killed|still run|left/i)
    expect((await house.lb(['down'])).code).toBe(0)
    await until(() => house.survivors().length === 0)
  })
})

describe('a balancer that is killed alone', () => {
  it('is started again by its keeper on the same port, with no refused connect', async () => {
    house = new House(simTopology({ replicas: 2 }))
    const url = await house.up()
    const { pid } = await house.status()
    let refused = 0
    let asked = 0
    const done = new AbortController()
    const knocking = (async () => {
      while (!done.signal.aborted) {
        asked += 1
        await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) }).catch((error: unknown) => {
          if (String((error as { cause?: unknown }).cause).includes('ECONNREFUSED')) refused += 1
        })
      }
    })()
    process.kill(pid, 'SIGKILL')
    await until(async () => (await house.status().catch(() => ({ pid }))).pid !== pid, 20_000)
    await until(async () => (await fetch(`${url}/ready`)).status === 200, 20_000)
    done.abort()
    await knocking
    expect(asked).toBeGreaterThan(1)
    expect(refused).toBe(0)
  })
})
