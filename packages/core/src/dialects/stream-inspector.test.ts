import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeliveredLedger } from './delivered-ledger.js'
import { StreamInspector } from './stream-inspector.js'
import { stream, type Event } from './streams.test.fixture.js'
import { usageOf } from './usage.js'

interface Seen {
  readonly contentEvents: number
  readonly hasContent: boolean
  readonly hasError: boolean
  readonly usage: unknown
  /** Which events the client may see. */
  readonly shown: readonly boolean[]
  readonly text: string
}

/** What somebody sees who parses each event and has all the time in the world. */
function naive(events: readonly Event[], stripUsage: boolean): Seen {
  let contentEvents = 0
  let usage: unknown
  let text = ''
  let hasError = false
  const shown: boolean[] = []
  for (const event of events) {
    const lines = event
      .toString()
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
    const payload = lines.map((line) => line.slice(5).trimStart()).join('\n')
    shown.push(true)
    if (lines.length === 0 || payload === '[DONE]') continue
    const value = parsed(payload)
    if (value === undefined) {
      contentEvents += 1
      continue
    }
    const found = usageOf(value['usage'])
    usage = found ?? usage
    const choices = (Array.isArray(value['choices']) ? value['choices'] : []) as Record<string, unknown>[]
    if (value['error'] !== undefined && value['error'] !== null) hasError = true
    else if (choices.some((choice) => contentOf(choice).any)) contentEvents += 1
    const [only] = choices
    if (only !== undefined && choices.length === 1) text += contentOf(only).text
    if (stripUsage && found !== undefined && choices.length === 0) shown[shown.length - 1] = false
  }
  return { contentEvents, hasContent: contentEvents > 0, hasError, usage, shown, text }
}

function parsed(payload: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Whether a choice brings anything, and the text of one that brings text only. */
function contentOf(choice: Record<string, unknown>): { any: boolean; text: string } {
  const finished = choice['finish_reason'] !== null && choice['finish_reason'] !== undefined
  if (typeof choice['text'] === 'string') return { any: choice['text'] !== '', text: finished ? '' : choice['text'] }
  const { role: _, ...delta } = (choice['delta'] ?? {}) as Record<string, unknown>
  const brings = Object.entries(delta).filter(
    ([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  )
  const text = brings.length === 1 && brings[0]?.[0] === 'content' && !finished ? String(brings[0][1]) : ''
  return { any: brings.length > 0, text }
}

function inspect(events: readonly Event[], stripUsage: boolean): Seen {
  const ledger = new DeliveredLedger()
  const inspector = new StreamInspector(stripUsage, ledger)
  // As in the corridor: one buffer, in which an event is a part of what was read.
  const all = Buffer.concat([Buffer.from('5\r\n'), ...events, Buffer.from('"}}]}\n\n')])
  let at = 3
  const shown = events.map((event) => {
    at += event.byteLength
    return inspector.event(all, at - event.byteLength, at)
  })
  const { contentEvents, hasContent, hasError, usage } = inspector
  return { contentEvents, hasContent, hasError, usage, shown, text: ledger.text() ?? '' }
}

describe('the inspector of a stream', () => {
  it.each([true, false])('sees what parsing every event shows, whatever it has learned (usage is stripped: %s)', (stripUsage) => {
    fc.assert(
      fc.property(stream, (events) => {
        expect(inspect(events, stripUsage)).toEqual(naive(events, stripUsage))
      }),
      { numRuns: 700 },
    )
  })

  it('sees the same when every event looks like the last one but for its text', () => {
    const plain = (content: string): Event =>
      Buffer.from(`data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}},"finish_reason":null}]}\n\n`)
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '\\', '"', '\\"}', '🚢', '\ud83d'))),
        (texts) => {
          const events = texts.map((text) => plain(text))
          const seen = inspect(events, true)
          expect(seen).toEqual(naive(events, true))
          expect(seen.text).toBe(texts.join(''))
        },
      ),
    )
  })

  it.each([10, 200, 256, 4_000])('reads what stands where padding of %d bytes stood before', (bytes) => {
    const event = (content: string, rest: string): Event =>
      Buffer.from(`data: {"choices":[{"delta":{"content":"${content}"}}],${rest}}\n\n`)
    const usage = '"usage":{"prompt_tokens":1,"completion_tokens":2},"p":"'
    const padding = `"p":"${'x'.repeat(bytes + usage.length)}"`
    const hidden = `${usage}${'x'.repeat(padding.length - usage.length - 1)}"`
    const events = [event('a', padding), event('b', padding), event('c', hidden), event('d', padding)]
    expect(hidden).toHaveLength(padding.length)
    const seen = inspect(events, true)
    expect(seen).toEqual(naive(events, true))
    expect(seen).toMatchObject({ contentEvents: 4, usage: { promptTokens: 1, completionTokens: 2 }, text: 'abcd' })
  })

  it('keeps the last events that are no plain content for the judgement of the end', () => {
    const inspector = new StreamInspector(true, undefined)
    const push = (text: string): void => void inspector.event(Buffer.from(text), 0, Buffer.byteLength(text))
    for (let index = 0; index < 3_000; index += 1) {
      push('data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
      if (index % 3 === 0) push('data: {"choices":[{"delta":{"tool_calls":[{}]}}]}\n\n')
    }
    push('data: [DONE]\n\n')
    expect(inspector.tail.length).toBeLessThanOrEqual(4_096)
    expect(inspector.tail).toMatch(/data: \[DONE\]\n\n$/)
  })

  it('reads no more of a stream of garbage, and passes it on', () => {
    const inspector = new StreamInspector(true, undefined)
    const show = (text: string): boolean => inspector.event(Buffer.from(text), 0, text.length)
    const usageOnly = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'
    expect(show(usageOnly)).toBe(false)
    for (let count = 0; count < 65; count += 1) expect(show('data: {{{"usage"\n\n')).toBe(true)
    expect(show(usageOnly)).toBe(true)
    expect(inspector.contentEvents).toBe(66)
    expect(inspector.usage).toEqual({ promptTokens: 1, completionTokens: 2 })
    expect(inspector.tail.endsWith(usageOnly)).toBe(true)
  })

  it('counts pieces of an event that is too long as content', () => {
    const inspector = new StreamInspector(true, new DeliveredLedger())
    inspector.piece()
    expect([inspector.hasContent, inspector.contentEvents]).toEqual([true, 1])
  })
})
