/** `lb why` with the real binary: the decision is made in a data thread, told to the main one and read over the control socket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from './house.js'

const topology = `version: 1
gateway: { listen: 127.0.0.1:0, traceShare: 0 }
pools:
  demo:
    models: [sim-8b]
    strategy: lmetric
    nodes:
      - { name: sim, engine: sim, launch: { replicas: 3, args: { profile: instant } }, labels: { gpu: h100 } }
      - { name: old, engine: sim, launch: { args: { profile: instant } }, labels: { gpu: a100 } }
`

interface WhyDocument {
  readonly id: string
  readonly record: { readonly node: string; readonly cachedTokens: number } | null
  readonly decisions: readonly {
    readonly choice: string
    readonly roundRobin: string
    readonly askedFor: boolean
    readonly sessionFrom: string | null
    readonly candidates: readonly { readonly node: string; readonly cachedTokens: number; readonly terms: object | null }[]
    readonly leftOut: readonly { readonly node: string; readonly filter: string; readonly reason: string }[]
  }[]
}

let house: House
let url: string

beforeAll(async () => {
  house = new House(topology)
  url = await house.up()
})

afterAll(async () => {
  await house.close()
})

/** Asks and gives back the id and the node of the answer. */
async function ask(content: string, headers: Record<string, string> = {}): Promise<{ id: string; node: string }> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'sim-8b', max_tokens: 8, messages: [{ role: 'user', content }] }),
  })
  expect(answer.status, await answer.clone().text()).toBe(200)
  await answer.text()
  return { id: answer.headers.get('x-request-id') ?? '', node: answer.headers.get('x-lb-node') ?? '' }
}

async function whyOf(...args: string[]): Promise<WhyDocument> {
  const result = await house.lb(['why', ...args, '--json'])
  expect(result.code, result.stderr).toBe(0)
  return JSON.parse(result.stdout) as WhyDocument
}

describe('lb why', () => {
  it('tells of a request that asked for it: candidates, cache, the choice and what became of it', async () => {
    const prompt = 'The load line of a ship. '.repeat(200)
    const first = await ask(prompt)
    const second = await ask(prompt, { 'x-lb-trace': '1', 'x-session-id': 'talk-1' })
    expect(second.node).toBe(first.node)
    await until(async () => (await whyOf('--last')).record !== null)
    const why = await whyOf('--last')
    expect(why).toMatchObject({ id: second.id, record: { node: first.node } })
    expect(why.record?.cachedTokens).toBeGreaterThan(500)
    const [decision] = why.decisions
    expect(decision).toMatchObject({ choice: first.node, askedFor: true, sessionFrom: 'x-session-id', leftOut: [] })
    expect(decision?.candidates).toHaveLength(4)
    expect(decision?.candidates.find(({ node }) => node === first.node)?.cachedTokens).toBeGreaterThan(500)
    expect(decision?.candidates.every(({ terms }) => terms !== null)).toBe(true)
    expect(await whyOf(second.id)).toEqual(why)
    const text = (await house.lb(['why', second.id])).stdout
    expect(text).toMatch(new RegExp(`^${second.id} {3}sim-8b .*cached, [\\d,]+ expected\\) → \\d+ tok`))
    expect(text).toMatch(new RegExp(`so +${first.node.slice(5)}`))
    expect(text).toMatch(/otherwise +round-robin would have taken/)
  })

  it('names nodes that were left out, and why', async () => {
    const { id, node } = await ask('hi', { 'x-lb-trace': '1', 'x-lb-labels': 'gpu=a100' })
    expect(node).toBe('demo/old')
    const [decision] = (await whyOf(id)).decisions
    expect(decision?.leftOut).toHaveLength(3)
    expect(decision?.leftOut[0]).toEqual({ node: 'demo/sim-0', filter: 'labels', reason: 'lacks the label gpu=a100' })
  })

  it('says of a request that was not traced what its record knows, and how to get a trace', async () => {
    const { id, node } = await ask('hello')
    await until(async () => (await house.lb(['why', id])).code === 0)
    const { stdout } = await house.lb(['why', id])
    expect(stdout).toContain(node)
    expect(stdout).toContain('x-lb-trace: 1')
    expect((await whyOf(id)).decisions).toEqual([])
  })

  it('says what it does not know, and what it does not understand', async () => {
    const unknown = await house.lb(['why', 'req_never'])
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/req_never/) as string])
    expect((await house.lb(['why'])).code).toBe(2)
    expect((await house.lb(['why', 'x', '--last'])).code).toBe(2)
  })

  it('has a sibling that shows what a strategy can be told', async () => {
    const result = await house.lb(['strategies', 'lmetric'])
    expect([result.code, result.stdout]).toEqual([0, expect.stringMatching(/SETTING +VALUE +DEFAULT/) as string])
    expect((await house.lb(['strategies', 'nope'])).code).toBe(2)
  })
})
