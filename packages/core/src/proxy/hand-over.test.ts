import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RosterNode } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { sides } from './parted-rig.test.fixture.js'
import {
  chunk,
  delta,
  done,
  doorNames,
  lastChunk,
  plainAnswer,
  Rig,
  role,
  type Script,
  streamHead,
  usage,
} from './scripted-gateway.test.fixture.js'

const ASK = '{"compute":true}'
/** Numbers that no double holds, white space and an escape: all of it is the engine's own business. */
const PLACE = '{ "blocks":[12345678901234567890, 1e400],"host" : "10.0.0.7\\u002f" }'
const dialect = openaiDialect({ handover: { faces: ['openai-chat'], field: 'kv_place', ask: ASK } })

const prefill: Partial<RosterNode> = { role: 'prefill', dialect }
const decode: Partial<RosterNode> = { role: 'decode', dialect }

const raw = (status: number, text: string): string =>
  `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
const says =
  (text: string): Script =>
  (socket) =>
    void socket.write(text, 'latin1')
const computed = says(
  raw(200, `{"choices":[{"message":{"content":"x"}}],"kv_place":${PLACE},"usage":{"prompt_tokens":9,"completion_tokens":1}}`),
)
const answered = says(plainAnswer(200, { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] }))
const streamed = says(streamHead + [role, delta('hi'), usage, done].map(chunk).join('') + lastChunk)
const broken = says(plainAnswer(502, { error: 'no' }))

const hangsUp: Script = (socket) => void socket.destroy()

const bodyOf = (request: string | undefined): string => request?.slice(request.indexOf('\r\n\r\n') + 4) ?? ''
const headerOf = (request: string | undefined, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)\r$`, 'im').exec(request ?? '')?.[1]

describe.each(doorNames)('a prompt that another node computes (%s)', (door) => {
  let rig: Rig

  beforeEach(() => {
    rig = new Rig(door)
    rig.handover = { minPromptTokens: 0, orServe: true }
  })

  afterEach(() => rig.end())

  it('is told of where its node went away, and a computed one clears nobody of that', async () => {
    await rig.engine(hangsUp, prefill)
    await rig.engine(computed, prefill)
    await rig.engine(answered, decode)
    await rig.open()
    expect((await rig.ask({})).status).toBe(200)
    await expect.poll(() => rig.deskWords.map(({ type }) => type)).toEqual(['broke', 'ask', 'done', 'ask', 'done', 'answered'])
    expect(rig.deskWords[0]).toMatchObject({ node: rig.nodes[0]?.id, progress: 0 })
    expect(rig.deskWords[3]).toMatchObject({ lives: [rig.nodes[0]?.connectionKey] })
  })

  it('is asked for with one plain token, and what the first node says goes to the second byte for byte', async () => {
    await rig.engine(computed, prefill)
    await rig.engine(streamed, decode)
    await rig.open()
    const answer = await rig.ask({ stream: true, max_tokens: 50, min_tokens: 5, n: 1, seed: 7, stream_options: { include_usage: true } })
    expect(await answer.text()).toContain('"hi"')
    expect(answer.headers.get('x-lb-node')).toBe('p/n1')
    const [first, second] = [rig.requests[0]?.[0], rig.requests[1]?.[0]]
    expect(JSON.parse(bodyOf(first))).toEqual({
      model: 'm',
      messages: [],
      stream: false,
      stream_options: null,
      max_tokens: 1,
      min_tokens: 0,
      n: 1,
      seed: 7,
      kv_place: { compute: true },
    })
    expect(bodyOf(second)).toContain(`"kv_place":${PLACE}`)
    expect(bodyOf(second)).toContain('"stream":true,"max_tokens":50,"min_tokens":5')
    expect(headerOf(first, 'x-request-id')).toBe(headerOf(second, 'x-request-id'))
    expect(rig.records[0]?.attempts.map(({ node, outcome, leg }) => [node, outcome, leg])).toEqual([
      ['p/n0', 'answered', 'prefill'],
      ['p/n1', 'answered', undefined],
    ])
    expect(rig.records[0]?.outcome).toBe('ok')
  })

  it("teaches nothing of the second node's own cache, which tells what came over the network as cached", async () => {
    await rig.engine(computed, prefill)
    const cached = { prompt_tokens: 900, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 899 } }
    await rig.engine(says(plainAnswer(200, { choices: [{ message: { content: 'hi' } }], usage: cached })), decode)
    const told: unknown[] = []
    rig.strategy = {
      pick: () => 0,
      observe: (event) => void (event.kind === 'settled' && told.push([event.promptTokens, event.cachedTokens])),
    }
    await rig.open()
    await (await rig.ask({})).text()
    expect(told).toEqual([[900, undefined]])
    expect(rig.records[0]).toMatchObject({ promptTokens: 900, cachedTokens: 899 })
  })

  it('goes to the next of its role when one fails, and is computed where it is answered when all do', async () => {
    await rig.engine(broken, prefill)
    await rig.engine(computed, prefill)
    await rig.engine(answered, decode)
    await rig.open()
    expect(await (await rig.ask({})).text()).toContain('"hi"')
    expect(bodyOf(rig.requests[2]?.[0])).toContain(PLACE)
    rig.nodes.splice(1, 1)
    expect(await (await rig.ask({})).text()).toContain('"hi"')
    expect(bodyOf(rig.requests[2]?.[1])).toBe('{"model":"m","messages":[]}')
    expect(rig.records[1]?.attempts.map(({ node, outcome, leg }) => [node, outcome, leg])).toEqual([
      ['p/n0', 'refused', 'prefill'],
      ['p/n2', 'answered', undefined],
    ])
  })

  it.each([
    ['dead', undefined, /connect/],
    ['that fails by itself', says(plainAnswer(500, {})), /500/],
    ['without the place', says(plainAnswer(200, { choices: [] })), /has no kv_place/],
    ['with null for the place', says(raw(200, '{"kv_place":null}')), /has no kv_place/],
    ['with no JSON', says(raw(200, '<html>')), /has no kv_place/],
    ['that hangs up', hangsUp, /./],
  ])('is refused where the pool wants it so: a first node %s', async (_, script, reason) => {
    rig.handover = { minPromptTokens: 0, orServe: false }
    if (script === undefined) rig.nodes.push({ ...(await deadNode(rig)), ...prefill })
    else await rig.engine(script, prefill)
    await rig.engine(answered, decode)
    await rig.open()
    const answer = await rig.ask({})
    expect(answer.status).toBe(503)
    expect(await answer.text()).toMatch(/no node of role prefill/)
    expect(rig.records[0]).toMatchObject({ errorCode: 'LB_PREFILL_FAILED' })
    expect(rig.records[0]?.attempts[0]?.reason).toMatch(reason)
    expect(rig.requests.at(-1)).toEqual([])
  })

  it('is not asked for again where the request itself is wrong: the client reads the engine that answers', async () => {
    rig.handover = { minPromptTokens: 0, orServe: false }
    await rig.engine(says(plainAnswer(400, { error: 'too long' })), prefill)
    await rig.engine(says(plainAnswer(400, { error: 'too long, says the second' })), decode)
    await rig.open()
    const answer = await rig.ask({})
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('says the second')
  })

  it('is fetched once: where the second node fails, a third computes it', async () => {
    await rig.engine(computed, prefill)
    await rig.engine(broken, decode)
    await rig.engine(answered, decode)
    rig.strategy = { pick: () => 0 }
    await rig.open()
    expect(await (await rig.ask({})).text()).toContain('"hi"')
    expect(bodyOf(rig.requests[1]?.[0])).toContain(PLACE)
    expect(bodyOf(rig.requests[2]?.[0])).not.toContain('kv_place')
  })

  it('frees both nodes when the client leaves while it is computed', async () => {
    let closed = false
    await rig.engine((socket) => void socket.on('close', () => (closed = true)), prefill)
    await rig.engine(answered, decode)
    await rig.open()
    const leaving = new AbortController()
    const asked = rig.ask({}, {}, leaving.signal).catch(() => 'left')
    await expect.poll(() => rig.requests[0]?.length).toBe(1)
    leaving.abort()
    expect(await asked).toBe('left')
    await expect.poll(() => closed).toBe(true)
    await expect.poll(() => rig.records[0]?.outcome).toBe('client-gone')
    expect(rig.requests[1]).toEqual([])
  })

  it('stays where it is answered: short ones, ones that name a place, and where nobody takes over', async () => {
    await rig.engine(computed, prefill)
    await rig.engine(answered, decode)
    await rig.open()
    rig.handover = { minPromptTokens: 1_000, orServe: true }
    expect(await (await rig.ask({})).text()).toContain('"hi"')
    rig.handover = { minPromptTokens: 0, orServe: true }
    expect(await (await rig.ask({ kv_place: { mine: 1 } })).text()).toContain('"hi"')
    expect(bodyOf(rig.requests[1]?.[1])).toContain('"kv_place":{"mine":1}')
    expect(rig.requests[0]).toEqual([])
    rig.nodes.splice(1, 1)
    expect((await rig.ask({})).status).toBe(200)
    expect(bodyOf(rig.requests[0]?.[0])).not.toContain('kv_place')
  })

  describe('by a revision that is tried out', () => {
    beforeEach(() => {
      rig.split = sides(1)
    })

    it('is nothing to the trusted one, where the request goes there after all', async () => {
      await rig.engine(computed, { ...prefill, revision: 'r2' })
      await rig.engine(broken, { ...decode, revision: 'r2' })
      await rig.engine(answered, { ...decode, revision: 'r1' })
      rig.strategy = { pick: (_, nodes) => nodes.findIndex(({ id }) => id === 'p/n2') }
      await rig.open()
      expect(await (await rig.ask({})).text()).toContain('"hi"')
      expect([bodyOf(rig.requests[2]?.[0]).includes('kv_place'), rig.requests[1]]).toEqual([false, []])
    })

    it('comes from the trusted one where that fails, and no client sees it', async () => {
      rig.handover = { minPromptTokens: 0, orServe: false }
      await rig.engine(hangsUp, { ...prefill, revision: 'r2' })
      await rig.engine(broken, { ...decode, revision: 'r2' })
      await rig.engine(computed, { ...prefill, revision: 'r1' })
      await rig.engine(answered, { ...decode, revision: 'r1' })
      await rig.open()
      expect((await rig.ask({})).headers.get('x-lb-node')).toBe('p/n3')
      expect(bodyOf(rig.requests[3]?.[0])).toContain(PLACE)
      expect(rig.deskWords).toEqual([])
    })
  })

  it('is computed by the node with the least prompt ahead of it', async () => {
    const waits: Script = (socket) => void setTimeout(() => computed(socket, ''), 50)
    await rig.engine(waits, prefill)
    await rig.engine(waits, prefill)
    await rig.engine(answered, decode)
    await rig.open()
    await Promise.all([rig.ask({ a: 1 }), rig.ask({ a: 2 })].map(async (asked) => (await asked).text()))
    expect(rig.requests.slice(0, 2).map((seen) => seen.length)).toEqual([1, 1])
  })
})

/** As the rig makes one, with nobody behind its port. */
async function deadNode(rig: Rig): Promise<RosterNode> {
  rig.dead()
  return rig.nodes.pop()!
}
