import { afterEach, describe, expect, it } from 'vitest'
import { House, simTopology, until, type NodeRow, isLong } from './house.js'

const POISON = 'arsenic in the wine of the Borgia'
let house: House | undefined

afterEach(async () => {
  await house?.close()
})

interface Got {
  readonly status: number
  readonly text: string
  readonly tookMs: number
}

const open = async (options: { threads?: number; more?: string } = {}): Promise<string> => {
  const threads = options.threads === undefined ? '' : `, workers: ${options.threads}`
  const topology = simTopology({ replicas: 4, profile: '8b-h100' })
    .replace('listen: 127.0.0.1:0', `listen: 127.0.0.1:0${threads}`)
    .replace('profile: 8b-h100', 'profile: 8b-h100, fault: "poison:arsenic"')
  house = new House(topology)
  return house.up()
}
const ask = async (url: string, content: string, more: object = {}): Promise<Got> => {
  const body = JSON.stringify({ model: 'sim-8b', max_tokens: 24, messages: [{ role: 'user', content }], ...more })
  const startedMs = performance.now()
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return { status: answer.status, text: await answer.text(), tookMs: performance.now() - startedMs }
  } catch (error) {
    return { status: 0, text: String(error), tookMs: performance.now() - startedMs }
  }
}
const nodes = async (): Promise<readonly NodeRow[]> => (await house?.status())?.pools[0]?.nodes ?? []
const lost = async (): Promise<number> => (await nodes()).filter(({ restarts, state }) => restarts > 0 || state !== 'ready').length
const allBack = (): Promise<void> => until(async () => (await nodes()).every(({ state }) => state === 'ready'), 20_000)

/** Clients that ask without a pause until they are told to stop; every second one for a stream. */
function innocents(url: string, count: number): { stop(): Promise<{ asked: number; failed: string[] }> } {
  const end = new AbortController()
  let asked = 0
  const failed: string[] = []
  const client = async (index: number): Promise<void> => {
    for (let turn = 0; !end.signal.aborted; turn++) {
      asked += 1
      const isStream = index % 2 === 0
      const { status, text } = await ask(url, `a harmless question ${index} ${turn}`, isStream ? { stream: true } : {})
      if (status !== 200 || !text.includes(isStream ? '[DONE]' : '"finish_reason"')) failed.push(`${status} ${text.slice(0, 300)}`)
    }
  }
  const clients = Array.from({ length: count }, (_, index) => client(index))
  return {
    async stop() {
      end.abort()
      await Promise.all(clients)
      return { asked, failed }
    },
  }
}

describe('a request that crashes every engine', () => {
  it('costs two nodes of four, which come back; it is refused with 422 and a reason, at once from then on, until it is let through', async () => {
    const url = await open()
    const first = await ask(url, POISON)
    expect(first.status, first.text).toBe(422)
    expect(first.text).toContain('LB_REQUEST_QUARANTINED')
    expect(await lost()).toBe(2)
    const again = await Promise.all(Array.from({ length: 20 }, () => ask(url, POISON)))
    expect(again.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 422))
    await allBack()
    expect((await nodes()).map(({ restarts }) => restarts).toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1])
    const listed = await house?.lb(['quarantine', 'list', '--json'])
    const [body] = JSON.parse(listed?.stdout ?? '') as { fingerprint: string; refused: number; nodes: string[] }[]
    expect(body).toMatchObject({ refused: 21, pool: 'demo', nodes: [expect.any(String), expect.any(String)] })
    expect((await house?.lb(['quarantine', 'list']))?.stdout).toContain(body?.fingerprint)
    expect((await house?.lb(['status']))?.stdout).toContain('a request is refused because nodes crashed on it')
    expect((await house?.lb(['quarantine', 'lift', 'ffff']))?.code).not.toBe(0)
    expect((await house?.lb(['quarantine', 'lift', body?.fingerprint ?? '']))?.code).toBe(0)
    expect(JSON.parse((await house?.lb(['quarantine', 'list', '--json']))?.stdout ?? '')).toEqual([])
    expect(house?.logs()).not.toContain('Borgia')
  })

  it.each(isLong ? [{ threads: 1 }, { threads: 3 }] : [{ threads: 3 }])(
    'harms none of 50 concurrent innocents: $threads data thread(s)',
    async ({ threads }) => {
      const url = await open({ threads })
      const crowd = innocents(url, 50)
      await new Promise((resolve) => setTimeout(resolve, 700))
      const poison = await ask(url, POISON)
      await new Promise((resolve) => setTimeout(resolve, 700))
      const lostNodes = await lost()
      const { asked, failed } = await crowd.stop()
      process.stdout.write(
        `${threads} thread(s): ${failed.length} of ${asked} innocents failed (promised 0), ${lostNodes} of 4 nodes lost (promised at most 2), refused after ${Math.round(poison.tookMs)} ms\n`,
      )
      expect(failed).toEqual([])
      expect(poison.status, poison.text).toBe(422)
      expect(lostNodes).toBeLessThanOrEqual(2)
      await allBack()
    },
  )
})

describe('kill -9 of engines one after another', () => {
  it.runIf(isLong)('puts nothing in quarantine, although every client asks the same', async () => {
    const url = await open({ threads: 2 })
    const end = new AbortController()
    const failed: string[] = []
    let asked = 0
    const client = async (): Promise<void> => {
      while (!end.signal.aborted) {
        asked += 1
        const { status, text } = await ask(url, 'what everybody asks')
        if (status !== 200) failed.push(`${status} ${text.slice(0, 200)}`)
      }
    }
    const clients = Array.from({ length: 50 }, client)
    for (let kill = 0; kill < 4; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      process.kill((await nodes())[kill % 4]?.pid ?? 0, 'SIGKILL')
    }
    await new Promise((resolve) => setTimeout(resolve, 700))
    end.abort()
    await Promise.all(clients)
    process.stdout.write(`4 kills: ${failed.length} of ${asked} failed (promised 0)\n`)
    expect(failed).toEqual([])
    expect(JSON.parse((await house?.lb(['quarantine', 'list', '--json']))?.stdout ?? '')).toEqual([])
  })
})
