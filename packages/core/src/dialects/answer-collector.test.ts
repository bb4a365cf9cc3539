import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CollectedShape } from '../contracts/index.js'
import { AnswerCollector } from './answer-collector.js'
import { EventSplitter } from './event-splitter.js'
import { stream } from './streams.test.fixture.js'

const shape: CollectedShape = {
  fits: () => true,
  chunkObject: 'chunk',
  textAt: 'delta.content',
  template: '{"choices":[{"finish_reason":<finish_reason>,"message":{"content":"<text>"}}],"created":<created>,"usage":<usage>}',
  contentType: 'application/json',
}

const chunk = (delta: string, more = '', finish = 'null'): string =>
  `data: {"choices":[{"finish_reason":${finish},"index":0,"delta":${delta}}],"created":7,"object":"chunk"${more}}\n\n`
const text = (raw: string): string => chunk(`{"content":"${raw}"}`)
const end = chunk('{}', '', '"stop"')
const usage = 'data: {"choices":[],"created":8,"object":"chunk","usage":{"a":0.10000000000000001,"b":[ 1e+2 ]}}\n\n'
const done = 'data: [DONE]\n\n'
const whole = [chunk('{"role":"assistant","content":null}'), text('Hel'), text('lo \\"\\u0041'), text('Fjörd 🚢'), end, usage, done]

function collect(bytes: Buffer, cuts: readonly number[] = [], maxBytes = 1_000): AnswerCollector {
  const collector = new AnswerCollector(shape, maxBytes)
  const splitter = new EventSplitter()
  const at = [0, ...cuts.map((cut) => cut % (bytes.byteLength + 1)).sort((a, b) => a - b), bytes.byteLength]
  for (let index = 1; index < at.length; index += 1) {
    // Memory of its own that is overwritten after the read, as that of a socket is.
    const read = Buffer.from(bytes.subarray(at[index - 1], at[index]))
    for (const event of splitter.push(read)) {
      if (event.whole) collector.event(event.bytes)
      else collector.piece()
    }
    if (splitter.atBoundary) read.fill(0x58)
  }
  return collector
}

const collected = (events: readonly string[]): AnswerCollector => collect(Buffer.from(events.join('')))

describe('collecting a plain answer from a stream', () => {
  const wanted =
    '{"choices":[{"finish_reason":"stop","message":{"content":"Hello \\"\\u0041Fjörd 🚢"}}],"created":8,"usage":{"a":0.10000000000000001,"b":[ 1e+2 ]}}'

  it('copies every value as it was written, numbers and escapes too', () => {
    expect(collected(whole).answer()?.toString()).toBe(wanted)
  })

  it('gives the same bytes however the stream is cut', () => {
    const bytes = Buffer.from(whole.join(''))
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.byteLength), { maxLength: 40 }), (cuts) => {
        expect(collect(bytes, cuts).answer()?.toString()).toBe(wanted)
      }),
    )
  })

  it('holds every text that an engine can write', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(4_000)),
        (parts, cuts) => {
          fc.pre(parts.join('') !== '' && parts.join('').isWellFormed())
          fc.pre(parts.every((part) => part.isWellFormed()))
          const events = [...parts.map((part) => text(JSON.stringify(part).slice(1, -1))), end, usage, done]
          const answer = collect(Buffer.from(events.join('')), cuts, 100_000).answer()
          const { choices } = JSON.parse(answer?.toString() ?? '{}') as { choices: [{ message: { content: string } }] }
          expect(choices[0].message.content).toBe(parts.join(''))
        },
      ),
    )
  })

  it.each([
    ['a delta that brings more', chunk('{"reasoning_content":"hm"}')],
    ['tool calls', chunk('{"tool_calls":[{"index":0}]}')],
    ['another role', chunk('{"role":"tool","content":"x"}')],
    ['log probabilities', chunk('{"content":"x"}').replace('"index":0', '"index":0,"logprobs":{"content":[]}')],
    ['a second choice', chunk('{"content":"x"}').replace('"index":0', '"index":1')],
    ['two choices in one chunk', 'data: {"choices":[{"index":0},{"index":0}],"created":1,"object":"chunk"}\n\n'],
    ['a field of the chunk that the template has not', chunk('{"content":"x"}', ',"__verbose":{}')],
    ['another object', chunk('{"content":"x"}').replace('"chunk"', '"text"')],
    ['JSON that is none', 'data: {"choices":\n\n'],
    ['a key that stands twice', 'data: {"created":1,"created":2}\n\n'],
    ['an event of two lines', 'data: {"choices":[]}\ndata: {}\n\n'],
    ['content that is no text', chunk('{"content":5}')],
  ])('does not know %s', (_, odd) => {
    const collector = collected([text('a'), text('b'), odd, end, usage, done])
    expect(collector.unknown).toEqual(expect.any(String))
    expect(collector.answer()).toBeUndefined()
  })

  it('says which field a stream never brought', () => {
    const collector = collected([text('a'), end, done])
    expect(collector.answer()).toBeUndefined()
    expect(collector.unknown).toBe('the stream never brought usage')
  })

  it('has no answer without text, and holds nothing against the engine', () => {
    const collector = collected([chunk('{"content":""}'), end, usage, done])
    expect(collector.answer()).toBeUndefined()
    expect(collector.unknown).toBeUndefined()
  })

  it('reads over comments and lines that are none of ours, and keeps them for the judgement of the end', () => {
    const collector = collected([': ping\n\n', text('a'), 'proxy error: gone\n\n', end, usage])
    expect(collector.answer()).toBeDefined()
    expect(collector.tail).toContain('proxy error')
  })

  it('keeps the error object of the engine as it was written', () => {
    const error = '{"error":{"code":500,"message":"no","type":"server_error"}}'
    expect(collected([text('a'), `data: ${error}\n\n`, done]).error?.toString()).toBe(error)
    expect(collected([text('a'), `data: ${error}\n\n`]).tail).toContain('data: {"error"')
  })

  it('stops holding text at its limit', () => {
    const collector = collect(Buffer.from([text('a'.repeat(600)), text('b'.repeat(600))].join('')))
    expect(collector.tooLong).toBe(true)
    expect(collector.byteLength).toBe(600)
  })

  it('never fails on a stream of any making, and what it answers is JSON', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(6_000), { maxLength: 20 }), fc.boolean(), (odd, cuts, ends) => {
        const bytes = Buffer.concat([...odd, ...(ends ? [Buffer.from(text('a') + end + usage + done)] : [])])
        const answer = collect(bytes, cuts, 100_000).answer()
        if (answer !== undefined) expect(JSON.parse(answer.toString())).toHaveProperty('choices')
      }),
    )
  })
})
