import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RequestFacts } from '../contracts/index.js'
import { plainAnswer, Rig } from './scripted-gateway.test.fixture.js'

const UUID = '0198f0c4-5b5e-7c31-9b1f-1e2d3c4b5a69'
const ok = plainAnswer(200, { choices: [{ message: { content: 'hi' } }] })

let rig: Rig
let seen: RequestFacts[]

beforeEach(async () => {
  seen = []
  rig = new Rig('listen')
  rig.strategy = { pick: (facts) => (seen.push(facts), 0) }
  await rig.engine((socket) => void socket.write(ok))
  await rig.open()
})

afterEach(() => rig.close())

async function factsOf(body: object, headers: Record<string, string> = {}): Promise<RequestFacts | undefined> {
  const answer = await rig.ask(body, headers)
  expect(answer.status).toBe(200)
  await answer.text()
  return seen.at(-1)
}

describe('the conversation of a request', () => {
  it.each([
    ['x-session-id', { 'x-session-id': 'a', 'x-lb-session': 'b' }, { user: 'u' }, 'a'],
    ['x-lb-session', { 'x-lb-session': 'b', 'x-claude-code-session-id': UUID }, { user: 'u' }, 'b'],
    ['a header of a coding agent', { 'x-claude-code-session-id': UUID }, { session_id: 's' }, UUID],
    ['another one', { 'session-id': UUID, 'thread-id': UUID }, {}, UUID],
    ['its thread', { 'session-id': 'three words', 'thread-id': UUID }, {}, UUID],
    ['session_id of the body', {}, { session_id: 's', prompt_cache_key: 'k', user: 'u' }, 's'],
    ['prompt_cache_key', {}, { prompt_cache_key: 'k', user: 'u' }, 'k'],
    ['user', {}, { user: 'ü "1"', metadata: { user_id: 'm' } }, 'ü "1"'],
    ['user_id of the metadata', {}, { metadata: { user_id: 'm' } }, 'm'],
  ])('is named by %s', async (_, headers, body, session) => {
    expect((await factsOf(body, headers as Record<string, string>))?.session).toBe(session)
  })

  it.each([
    ['nothing is there', {}, {}],
    ['there is but a request id, which is new each time', { 'x-request-id': UUID }, {}],
    ['an agent header holds something else', { 'session-id': 'PHPSESSID=1' }, {}],
    ['fields hold no text', {}, { user: 7, session_id: null, metadata: [] }],
    ['names are empty', { 'x-session-id': '' }, { user: '' }],
    ['the metadata are large', {}, { metadata: { user_id: 'm', blob: 'x'.repeat(5_000) } }],
  ])('has no name where %s', async (_, headers, body) => {
    expect((await factsOf(body, headers as Record<string, string>))?.session).toBeUndefined()
  })

  it('is named by the header of the pool before all others', async () => {
    rig.sessionHeader = 'x-conversation'
    expect((await factsOf({}, { 'x-conversation': 'c', 'x-session-id': 'a' }))?.session).toBe('c')
  })

  it('is known by a digest where its name is long', async () => {
    const long = (await factsOf({ user: 'u'.repeat(10_000) }))?.session ?? ''
    expect(long).toMatch(/^[0-9a-f]{64}$/)
    expect((await factsOf({ user: 'u'.repeat(10_000) }))?.session).toBe(long)
    expect((await factsOf({ user: 'v'.repeat(10_000) }))?.session).not.toBe(long)
  })
})

describe('who asks', () => {
  it('is the address where no keys are asked for', async () => {
    expect((await factsOf({}))?.client).toBe('127.0.0.1')
  })

  it('is the name of the key where one is', async () => {
    rig.client = 'LB_API_KEY'
    expect((await factsOf({}))?.client).toBe('LB_API_KEY')
  })
})

describe('an objective for the first token', () => {
  it('is heard', async () => {
    expect((await factsOf({}, { 'x-lb-slo-ttft-ms': '250.5' }))?.sloTtftMs).toBe(250.5)
    expect((await factsOf({}))?.sloTtftMs).toBeUndefined()
  })

  it.each(['', 'soon', '-1', '0', '1e3', '3600001', 'Infinity'])('of %j is refused, not passed over', async (value) => {
    const answer = await rig.ask({}, { 'x-lb-slo-ttft-ms': value })
    expect(answer.status).toBe(400)
    const { error } = (await answer.json()) as { error: { code: string; message: string } }
    expect(error).toMatchObject({ code: 'LB_BAD_HEADER' })
    expect(error.message).toContain('x-lb-slo-ttft-ms')
  })
})

it('no x-lb-* header of a client reaches an engine', async () => {
  await factsOf({}, { 'x-lb-session': 'b', 'x-lb-slo-ttft-ms': '100', 'x-lb-trace': '1', 'x-lb-anything': '1', 'x-session-id': 'a' })
  const sent = rig.requests[0]?.[0] ?? ''
  expect(sent).toContain('x-session-id: a')
  expect(sent).not.toMatch(/x-lb-/i)
})
