import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Dialect, ExactContinuation } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { chunk, done, event, lastChunk, plainAnswer, Rig, streamHead, type Script } from './scripted-gateway.test.fixture.js'

const identity = { id: 'first', object: 'chat.completion.chunk', created: 1, model: 'm' }
const other = { ...identity, id: 'second', created: 2 }
const say = (content: string, of: object = identity, more: object = {}): string =>
  event({ ...of, choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }] })
const roleOf = (of: object): string =>
  event({ ...of, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] })
const finishOf = (of: object, reason = 'stop'): string => event({ ...of, choices: [{ index: 0, delta: {}, finish_reason: reason }] })
const usageOf = (of: object, prompt: number, completion: number): string =>
  event({ ...of, choices: [], usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion } })

/** Says these events, then breaks off. */
const begins =
  (...events: readonly string[]): Script =>
  (socket) =>
    void socket.write(streamHead + events.map((each) => chunk(each)).join(''), () => socket.resetAndDestroy())
const answers =
  (...events: readonly string[]): Script =>
  (socket) =>
    void socket.write(streamHead + events.map((each) => chunk(each)).join('') + lastChunk)
const ending = finishOf(other) + usageOf(other, 12, 3) + done

const dialect = (text: object = {}, exact?: ExactContinuation): Dialect =>
  openaiDialect({
    continuation: {
      text: { 'openai-chat': text, 'openai-completions': text },
      ...(exact === undefined ? {} : { exact: { 'openai-chat': exact, 'openai-completions': exact } }),
    },
  })

const byIds: ExactContinuation = {
  ask: { return_ids: 'true' },
  field: 'ids',
  tokensOf: (value) => (Array.isArray(value) ? { ids: value as number[] } : undefined),
  promptField: 'prompt_ids',
}

interface Read {
  readonly raw: string
  readonly text: string
  readonly error: string | undefined
  readonly ids: readonly unknown[]
  readonly finish: readonly unknown[]
  readonly usage: readonly unknown[]
}

function parsed(raw: string): Read {
  const lines = raw.split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
  const events = lines.map((line) => JSON.parse(line.slice(6)) as Record<string, never>)
  const choices = events.flatMap(
    (each) => (each['choices'] ?? []) as { delta?: { content?: string }; text?: string; finish_reason?: string }[],
  )
  return {
    raw,
    text: choices.map(({ delta, text }) => delta?.content ?? text ?? '').join(''),
    error: events.map((each) => (each['error'] as { code: string } | undefined)?.code).find((code) => code !== undefined),
    ids: [...new Set(events.flatMap((each) => each['id'] ?? []))],
    finish: choices.flatMap(({ finish_reason: reason }) => reason ?? []),
    usage: events.flatMap((each) => each['usage'] ?? []),
  }
}

describe('a stream that broke off after some text', () => {
  let rig: Rig

  beforeEach(() => {
    rig = new Rig('listen')
  })

  afterEach(() => rig.end())

  /** One engine for each script, all of one kind. */
  async function engines(scripts: readonly Script[], own: Dialect = dialect()): Promise<void> {
    for (const script of scripts) await rig.engine(script, { dialect: own })
    await rig.open()
  }

  async function ask(body: object = {}): Promise<Read> {
    const messages = [{ role: 'user', content: 'hi' }]
    return parsed(await (await rig.ask({ messages, stream: true, ...body })).text())
  }

  const bodySeen = (node: number): Record<string, unknown> => {
    const request = Buffer.from(rig.requests[node]?.[0] ?? '', 'latin1').toString()
    return JSON.parse(request.slice(request.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>
  }

  it('goes on at the next node, and its client sees one answer of one node', async () => {
    await engines([begins(roleOf(identity), say('Fjörd '), say('🚢')), answers(roleOf(other), say(' and sea', other), ending)])
    const read = await ask({ max_tokens: 10, max_completion_tokens: 20, stream_options: { include_usage: true } })
    expect(read).toMatchObject({ text: 'Fjörd 🚢 and sea', error: undefined, ids: ['first'], finish: ['stop'] })
    expect(read.usage).toEqual([{ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }])
    expect(read.raw.match(/"role"/g)).toHaveLength(1)
    expect(read.raw.match(/\[DONE\]/g)).toHaveLength(1)
    expect(read.raw).toContain(': lb continued this answer on p/n1\n\n')
    expect(bodySeen(1)).toMatchObject({
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'Fjörd 🚢' },
      ],
      max_tokens: 8,
      max_completion_tokens: 18,
    })
    await expect
      .poll(() => rig.records[0])
      .toMatchObject({
        outcome: 'ok',
        status: 200,
        promptTokens: 10,
        completionTokens: 5,
        attempts: [
          { node: 'p/n0', outcome: 'cut' },
          { node: 'p/n1', outcome: 'answered', continues: 'text' },
        ],
      })
    expect(rig.outcomes.map(({ kind }) => kind)).toEqual(['cut', 'served'])
  })

  it('leaves out the echo of what was given, however it is cut into events', async () => {
    await engines(
      [begins(say('one two')), answers(roleOf(other), say('one', other), say(' two three', other), ending)],
      dialect({ echoes: true }),
    )
    expect(await ask()).toMatchObject({ text: 'one two three', error: undefined, usage: [] })
  })

  it('joins a character that was cut between its two halves', async () => {
    const half = say('x').replace('"x"', String.raw`"a\ud83d"`)
    await engines([begins(half), answers(say('🚢!', other), ending)])
    expect(await ask()).toMatchObject({ text: 'a🚢!', error: undefined })
    expect(bodySeen(1)['messages']).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'a' },
    ])
  })

  it('goes on again where the second one breaks off, too', async () => {
    await engines([begins(say('1')), begins(roleOf(other), say('2', other)), begins(roleOf(other)), answers(say('3', other), ending)])
    expect(await ask()).toMatchObject({ text: '123', error: undefined })
    await expect.poll(() => rig.records[0]?.attempts.map(({ outcome }) => outcome)).toEqual(['cut', 'cut', 'reset', 'answered'])
  })

  it('is ended by lb where nothing was left to say', async () => {
    await engines([begins(say('a'), say('b')), answers(say('never', other), ending)])
    const read = await ask({ max_tokens: 2, stream_options: { include_usage: true } })
    expect(read).toMatchObject({ text: 'ab', error: undefined, finish: ['length'], ids: ['first'] })
    expect(read.usage).toMatchObject([{ completion_tokens: 2 }])
    expect(read.raw).toMatch(/data: \[DONE\]\n\n$/)
    expect(rig.requests[1]).toEqual([])
    await expect.poll(() => rig.records[0]).toMatchObject({ outcome: 'ok', attempts: [{ outcome: 'cut' }] })
  })

  it('is ended by lb where the engine had given its reason to end', async () => {
    await engines([begins(say('a'), finishOf(identity)), answers(say('never', other), ending)])
    expect(await ask()).toMatchObject({ text: 'a', error: undefined, finish: ['stop'] })
    expect(rig.requests[1]).toEqual([])
  })

  it.each<[string, Script, Dialect | undefined]>([
    ['thinks anew', answers(event({ ...other, choices: [{ index: 0, delta: { reasoning_content: 'hm' } }] }), ending), undefined],
    ['has another model', answers(say('b', { ...other, model: 'another' }), ending), undefined],
    ['says something else first', answers(say('something else', other), ending), dialect({ echoes: true })],
    ['sends garbage', answers('data: {{{\n\n'), undefined],
    ['says that it failed', answers(event({ error: { message: 'out of memory' } }), done), undefined],
    ['refuses it', (socket) => void socket.write(plainAnswer(400, { error: 'no trailing assistant message while thinking' })), undefined],
    ['is of no use', (socket) => void socket.write(plainAnswer(200, { choices: [] })), undefined],
  ])('ends in an error where the only other node %s', async (_title, script, own) => {
    await engines([begins(say('a')), script], own ?? dialect())
    const read = await ask()
    expect(read).toMatchObject({ text: 'a', error: 'LB_STREAM_CUT', finish: [] })
    expect(read.raw).not.toContain('[DONE]')
    await expect.poll(() => rig.records[0]).toMatchObject({ outcome: 'cut', status: 200 })
  })

  it.each<[string, object, string]>([
    ['reasoning came before', {}, event({ ...identity, choices: [{ index: 0, delta: { reasoning_content: 'hm' } }] }) + say('a')],
    ['its text holds reasoning', {}, say('<think>hm')],
    ['a stop sequence may lie across the seam', { stop: ['b', 'cut here'] }, say('a c')],
    ['tools could be called', { tools: [{ type: 'function' }] }, say('a')],
    ['the client had begun the answer', { messages: [{ role: 'assistant', content: 'x' }] }, say('a')],
  ])('is not gone on with where %s', async (_title, body, text) => {
    await engines([begins(text), answers(say('never', other), ending)])
    expect(await ask(body)).toMatchObject({ error: 'LB_STREAM_CUT' })
    expect(rig.requests[1]).toEqual([])
  })

  it('is not gone on with by another engine, or another model', async () => {
    await rig.engine(begins(say('a')), { dialect: dialect() })
    await rig.engine(answers(say('never', other), ending), { dialect: dialect(), engine: 'another' })
    await rig.engine(answers(say('never', other), ending), { dialect: dialect(), model: 'another' })
    await rig.open()
    expect(await ask()).toMatchObject({ error: 'LB_STREAM_CUT' })
    expect([rig.requests[1], rig.requests[2]]).toEqual([[], []])
  })

  it.each<[string, string]>([
    ['an error of its own', event({ error: { message: 'the engine is dead' } }) + done],
    ['an end that is none', finishOf(identity, 'abort') + done],
  ])('goes on where the first engine ended with %s, which its client does not see', async (_title, end) => {
    const own: Dialect = {
      ...dialect(),
      classify: (status, _headers, body) => (body.includes('dead') ? 'death' : status < 400 ? 'ok' : 'client'),
      streamEnd: (tail) => (/"abort"|"error"/.test(tail) ? 'error' : tail.includes('[DONE]') ? 'complete' : 'cut'),
    }
    await engines(
      [answers(roleOf(identity), say('a'), end), answers(say('b', other), end), answers(end), answers(say('c', other), ending)],
      own,
    )
    const read = await ask()
    expect(read).toMatchObject({ text: 'abc', error: undefined, finish: ['stop'] })
    expect(read.raw.match(/\[DONE\]/g)).toHaveLength(1)
  })

  it('goes elsewhere in silence where the first engine ended so before it said anything, whatever was asked', async () => {
    const own: Dialect = { ...dialect(), classify: (status) => (status === 500 ? 'death' : 'ok') }
    await engines([answers(roleOf(identity), event({ error: { message: 'dead' } }), done), answers(say('a', other), ending)], own)
    expect(await ask({ tools: [] })).toMatchObject({ text: 'a', error: undefined })
  })

  it('is told the engine’s error where that is no fault of the node', async () => {
    await engines([
      answers(say('a'), event({ error: { message: 'a bad request', code: 'theirs' } }), done),
      answers(say('never', other), ending),
    ])
    expect(await ask()).toMatchObject({ text: 'a', error: 'theirs' })
    expect(rig.requests[1]).toEqual([])
  })

  it('is let go at once where the client leaves while another node goes on', async () => {
    const sockets: Socket[] = []
    await engines([begins(say('a')), (socket) => void (sockets.push(socket), socket.write(streamHead + chunk(say('b', other))))])
    const leave = new AbortController()
    const answer = await rig.ask({ messages: [{ role: 'user', content: 'hi' }], stream: true }, {}, leave.signal)
    const reader = answer.body?.getReader()
    let text = ''
    while (!text.includes('"b"')) text += Buffer.from((await reader?.read())?.value ?? []).toString()
    leave.abort()
    await expect.poll(() => sockets[0]?.destroyed).toBe(true)
    await expect
      .poll(() => rig.records[0])
      .toMatchObject({ outcome: 'client-gone', attempts: [{ outcome: 'cut' }, { outcome: 'cancelled' }] })
  })

  describe('by the ids of its tokens', () => {
    const withIds = (text: string, ids: readonly number[], of: object = identity): string => say(text, of, { ids })
    const completion = (text: string, ids: readonly number[], reason: string | null = null): string =>
      event({ ...other, object: 'text_completion', choices: [{ index: 0, text, finish_reason: reason, ids }] })
    const role = event({ ...identity, choices: [{ index: 0, delta: { role: 'assistant', content: '' } }], prompt_ids: [1, 2, 3] })

    beforeEach(() => {
      rig.continuation = 'exact'
    })

    it('goes on as a completion of ids, which the client never sees', async () => {
      await engines(
        [
          begins(role, withIds('a', [4]), withIds('', [5]), withIds('🚢', [6])),
          begins(completion('c', [7])),
          answers(completion('d', [8]), completion('', [], 'stop'), done),
        ],
        dialect({}, byIds),
      )
      const read = await ask({ max_tokens: 9, temperature: 0 })
      expect(read).toMatchObject({ text: 'a🚢cd', error: undefined, ids: ['first'], finish: ['stop'] })
      expect(read.raw).not.toContain('ids"')
      expect(read.raw).not.toContain('text_completion')
      expect(bodySeen(0)['return_ids']).toBe(true)
      expect(bodySeen(1)).toEqual({
        model: 'm',
        stream: true,
        temperature: 0,
        return_ids: true,
        prompt: [1, 2, 3, 4, 5, 6],
        max_tokens: 6,
        stream_options: { include_usage: true },
      })
      expect(rig.requests[1]?.[0]).toMatch(/^POST \/v1\/completions /)
      expect(bodySeen(2)['prompt']).toEqual([1, 2, 3, 4, 5, 6, 7])
    })

    it('leaves out ids of half a character, which comes again', async () => {
      await engines(
        [begins(role, withIds('a', [4]), withIds('', [5])), answers(completion('🚢', [5, 6]), completion('', [], 'stop'), done)],
        dialect({}, byIds),
      )
      expect(await ask()).toMatchObject({ text: 'a🚢', error: undefined })
      expect(bodySeen(1)['prompt']).toEqual([1, 2, 3, 4])
    })

    it('goes on by its text where ids are missing', async () => {
      await engines([begins(role, withIds('a', [4]), say('b')), answers(say('c', other), ending)], dialect({}, byIds))
      expect(await ask()).toMatchObject({ text: 'abc', error: undefined })
      expect(bodySeen(1)['messages']).toHaveLength(2)
    })
  })
})
