import * as fc from 'fast-check'

/** One event of an engine's stream, as bytes. */
export type Event = Buffer

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom(
    '',
    ' ',
    '"',
    '\\',
    '\\"',
    '"}}]}\n',
    '\n',
    '\u0000',
    '\u2028',
    'Fjörd',
    '🚢',
    '\ud83d',
    '\udea2',
    '{"content":"',
    '"text":"',
    '\\u0041',
    '/',
  ),
)

/** JSON as engines write it: Python escapes all that is not ASCII and puts spaces, some escape slashes. */
function written(value: unknown, style: number): string {
  const plain = JSON.stringify(value)
  if (style === 1) return plain.replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  if (style === 2) return plain.replaceAll('/', '\\/')
  if (style === 3) return JSON.stringify(value, undefined, 1).replaceAll(/\n */g, ' ')
  return plain
}

const usage = fc.record({ prompt_tokens: fc.nat(9_000), completion_tokens: fc.nat(9_000), total_tokens: fc.nat(9_000) })

const choice = fc.oneof(
  { weight: 8, arbitrary: text.map((content) => ({ index: 0, delta: { content }, logprobs: null, finish_reason: null })) },
  { weight: 2, arbitrary: text.map((content) => ({ index: 1, delta: { content }, logprobs: null, finish_reason: null })) },
  { weight: 2, arbitrary: text.map((content) => ({ text: content, index: 0, finish_reason: null })) },
  text.map((content) => ({ index: 0, delta: { role: 'assistant', content }, finish_reason: null })),
  text.map((content) => ({ index: 0, delta: { content: null, reasoning_content: content }, finish_reason: null })),
  text.map((content) => ({ index: 0, delta: { content, tool_calls: [] }, finish_reason: null })),
  text.map((name) => ({
    index: 0,
    delta: { tool_calls: [{ index: 0, function: { name, arguments: '{"content":"' } }] },
    finish_reason: null,
  })),
  text.map((content) => ({ index: 0, delta: { content }, finish_reason: 'stop' })),
  fc.constant({ index: 0, delta: {}, finish_reason: 'length' }),
  fc.constant({ index: 0, delta: {}, finish_reason: null }),
)

const id = fc.oneof({ weight: 5, arbitrary: fc.constant('chatcmpl-1') }, fc.string({ maxLength: 14 }))
const chunkOf = (choices: fc.Arbitrary<readonly object[]>, more: object = {}): fc.Arbitrary<object> =>
  fc.tuple(id, choices).map(([id, choices]) => ({ id, object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more }))

const json = fc.oneof(
  { weight: 12, arbitrary: chunkOf(choice.map((only) => [only])) },
  { weight: 2, arbitrary: chunkOf(fc.array(choice, { minLength: 2, maxLength: 3 })) },
  chunkOf(fc.constant([])),
  fc.tuple(chunkOf(choice.map((only) => [only])), usage).map(([chunk, usage]) => ({ ...chunk, usage })),
  chunkOf(
    choice.map((only) => [only]),
    { usage: null },
  ),
  fc.tuple(chunkOf(fc.constant([])), usage).map(([chunk, usage]) => ({ ...chunk, usage })),
  fc.constantFrom({ error: { message: 'out of memory', code: 500 } }, { error: null }, [], 1, null, 'text', {}),
)

const data = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .tuple(json, fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2, 3)))
      .map(([value, style]) => `data: ${written(value, style)}`),
  },
  fc.constantFrom(
    'data: [DONE]',
    ': ping',
    'event: ping',
    'data: not json',
    'data:',
    'id: 7\ndata: {"choices":[]}',
    'data: {"choices":\ndata: []}',
  ),
)

/** The events of a stream, in the order in which they were sent. Most streams keep to one kind of line break. */
export const stream: fc.Arbitrary<readonly Event[]> = fc
  .tuple(fc.array(data, { maxLength: 25 }), fc.constantFrom('\n', '\n', '\r\n'))
  .map(([events, end]) => events.map((event) => Buffer.from(event.replaceAll('\n', end) + end + end)))
