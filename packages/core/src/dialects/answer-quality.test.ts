import { describe, expect, it } from 'vitest'
import { AnswerWatch } from './answer-quality.js'
import { scanRequest } from './request-scan.js'
import { StreamInspector } from './stream-inspector.js'

const scan = (body: object = {}, face: Parameters<typeof scanRequest>[0] = 'openai-chat') =>
  scanRequest(face, Buffer.from(JSON.stringify({ model: 'm', ...body })))
const json = { response_format: { type: 'json_object' } }

/** What is said of a plain answer that comes in pieces. */
function ofPlain(message: object | string, request: object = {}, finish = 'stop') {
  const watch = AnswerWatch.of(scan(request), false)
  const body = typeof message === 'string' ? message : JSON.stringify({ choices: [{ index: 0, message, finish_reason: finish }] })
  for (let at = 0; at < body.length; at += 7) watch?.plain(Buffer.from(body.slice(at, at + 7)))
  return watch?.quality()
}

/** What is said of a stream of these deltas. */
function ofStream(deltas: readonly object[], request: object = {}, finish = 'stop') {
  const watch = AnswerWatch.of(scan({ stream: true, ...request }), true)
  const inspector = new StreamInspector(false, undefined, undefined, watch)
  const choices = [...deltas.map((delta) => ({ delta, finish_reason: null })), { delta: {}, finish_reason: finish }]
  for (const choice of choices) {
    const event = Buffer.from(`data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, ...choice }] })}\n\n`)
    inspector.event(event, 0, event.byteLength)
  }
  return watch?.quality()
}

const pieces = (text: string): object[] => Array.from(text, (content) => ({ content }))

describe.each([
  ['plain', (text: string, request?: object, finish?: string) => ofPlain({ role: 'assistant', content: text }, request, finish)],
  [
    'streamed',
    (text: string, request?: object, finish?: string) => ofStream([{ role: 'assistant', content: '' }, ...pieces(text)], request, finish),
  ],
])('a %s answer', (_, of) => {
  it('is measured in characters, whatever they are written as', () => {
    for (const text of ['Hello.', 'a "quoted" line\nand\tmore \\ ', 'Grüße, 東京 😀'])
      expect(of(text)).toEqual({ chars: text.length, isEmpty: false, isRepeating: false })
  })

  it('is empty where nothing but blanks came', () => {
    for (const text of ['', ' \n ']) expect(of(text)).toMatchObject({ isEmpty: true })
  })

  it('is looked through for loops', () => {
    expect(of('and so on '.repeat(30))).toMatchObject({ isRepeating: true, chars: 300 })
  })

  it('is malformed where JSON was asked for and none came, but for what a limit cut off', () => {
    expect(of('{"a": [1, 2]}', json)).toMatchObject({ isMalformed: false })
    expect(of('<think>a { b</think>\n{"a": 1}', json)).toMatchObject({ isMalformed: false })
    expect(of('Here is it: {"a": 1}', json)).toMatchObject({ isMalformed: true })
    expect(of('{"a": [1, 2', { response_format: { type: 'json_schema', json_schema: {} } })).toMatchObject({ isMalformed: true })
    expect(of('{"a": [1, 2', json, 'length')).not.toHaveProperty('isMalformed')
    expect(of('no JSON', { response_format: { type: 'text' } })).not.toHaveProperty('isMalformed')
  })

  it('is looked at up to 256 KiB, and counted behind', () => {
    const text = 'x y '.repeat(100_000)
    const quality = of(text)
    expect(quality?.isMalformed).toBeUndefined()
    expect(quality?.chars).toBeGreaterThan(390_000)
  })
})

describe('calls of tools', () => {
  const call = (args: string, index = 0) => ({ tool_calls: [{ index, id: 'c', function: { name: 'f', arguments: args } }] })

  it('are content, and malformed where their arguments cannot be read', () => {
    expect(ofPlain({ content: null, ...call('{"city": "Kiel"}') })).toEqual({
      chars: 0,
      isEmpty: false,
      isRepeating: false,
      isMalformed: false,
    })
    expect(ofPlain({ content: null, ...call('{"city": "Ki') })).toMatchObject({ isEmpty: false, isMalformed: true })
    expect(ofPlain({ content: null, ...call('') })).toMatchObject({ isMalformed: false })
  })

  it('are put together from the pieces of a stream, each for itself', () => {
    const good = [call('{"a"'), call('{"b', 1), call(':1}'), call('":2}', 1)]
    expect(ofStream(good)).toMatchObject({ isEmpty: false, isMalformed: false })
    expect(ofStream(good.slice(0, 3))).toMatchObject({ isMalformed: true })
  })
})

describe('an answer without text', () => {
  it('is not empty where it thinks, refuses or holds another choice', () => {
    expect(ofPlain({ content: '', reasoning_content: 'well' })).toMatchObject({ chars: 0, isEmpty: false })
    expect(ofStream([{ reasoning: 'well' }])).toMatchObject({ chars: 0, isEmpty: false })
    expect(ofPlain(JSON.stringify({ choices: [{ message: { content: '' } }, { message: { content: 'b' } }] }))).toMatchObject({
      isEmpty: false,
    })
  })

  it('is empty where it is no answer at all', () => {
    for (const body of ['', 'null', 'garbage', '{}', '{"choices": []}', '{"choices": [null, 3]}'])
      expect(ofPlain(body)).toEqual({ chars: 0, isEmpty: true, isRepeating: false })
  })

  it('is not looked at where none is expected', () => {
    expect(AnswerWatch.of(scan({}, 'openai-embeddings'), false)).toBeUndefined()
    expect(AnswerWatch.of(scan({}, 'openai-completions'), true)).toBeDefined()
  })
})

describe('the beginning of an answer', () => {
  const openingOf = (contents: readonly string[], more: readonly object[] = []) => {
    const watch = AnswerWatch.of(scan({ stream: true }), true)
    const inspector = new StreamInspector(false, undefined, undefined, watch)
    for (const delta of [...contents.map((content) => ({ content })), ...more]) {
      const event = Buffer.from(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`)
      inspector.event(event, 0, event.byteLength)
    }
    return watch?.opening()
  }

  it('is known while it comes, and stays what it is however long the rest gets', () => {
    expect(openingOf([])).toBe('')
    expect(openingOf(['Grü', 'ße "an" alle\n'])).toBe('Grüße "an" alle\n')
    for (let shift = 0; shift < 12; shift += 1) {
      const text = 'x'.repeat(shift) + '\\"\n\u0001ü😀 '.repeat(300)
      const opening = openingOf([text]) ?? ''
      expect(opening.length).toBeGreaterThan(200)
      expect(text.startsWith(opening.replace(/[\ufffd\ud800-\udfff]+$/, ''))).toBe(true)
    }
  })

  it('is none where thoughts or a call of a tool come', () => {
    expect(openingOf([], [{ reasoning_content: 'Hm' }])).toBeUndefined()
    expect(openingOf(['So: '], [{ tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }] }])).toBeUndefined()
  })
})
