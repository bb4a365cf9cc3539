/** Event streams of a hostile engine. */
import { chunkOf, delta, DONE, response, STRAY, streamHead, type ResponseCase, type Seen, type Written } from './response-case.js'

const events = `${delta('one')}${delta('two')}`
const end = '0\r\n\r\n'
const whole = `${events}${DONE}`
const cut: readonly Seen[] = ['broken', 'refused']

const stream = (name: string, rfc: string, seen: Seen | readonly Seen[], acts: readonly Written[], body = whole): ResponseCase =>
  response(name, rfc, seen, acts, { stream: true, body })

const pieces = (text: string): string[] => text.split('').map((byte) => chunkOf(byte))
const crlf = whole.replaceAll('\n', '\r\n')
const cr = whole.replaceAll('\n', '\r')
const mixed = `data: {"choices":[{"delta":{"content":"a"}}]}\r\n\n: comment\r\r\ndata: {"choices":[{"delta":{"content":"b"}}]}\n\r\n${DONE}`
const toolCall = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(6_000) } }] }, finish_reason: 'tool_calls' }] })}\n\n`
const umlauts = `${delta('gr\xc3\xbc\xc3\x9fe \xf0\x9f\xa6\x86')}${DONE}`

export const streamCorpus: readonly ResponseCase[] = [
  stream('a stream', '7.1', 'whole', [streamHead(), chunkOf(events), chunkOf(DONE), end]),
  stream('a stream in one write', '7.1', 'whole', [`${streamHead()}${chunkOf(whole)}${end}`]),
  stream('a chunk a byte', '7.1', 'whole', [streamHead(), ...pieces(whole), end]),
  stream('a byte at a time', '7.1', 'whole', [
    streamHead(),
    ...`${chunkOf(whole)}${end}`.split('').flatMap((byte, at) => (at % 16 === 0 ? [{ pauseMs: 0 }, byte] : [byte])),
  ]),
  stream('CRLF', 'HTML 9.2.6', 'whole', [streamHead(), ...pieces(crlf), end], crlf),
  stream('bare CR', 'HTML 9.2.6', ['whole', 'broken', 'refused'], [streamHead(), ...pieces(cr), end], cr),
  stream('CR, LF and CRLF mixed', 'HTML 9.2.6', 'whole', [streamHead(), ...pieces(mixed), end], mixed),
  stream('UTF-8 split in mid-character', '3629', 'whole', [streamHead(), ...pieces(umlauts), end], umlauts),
  stream(
    'bytes that are no UTF-8',
    '3629',
    'whole',
    [streamHead(), chunkOf(`data: \xff\xfe\xc3\n\n${DONE}`), end],
    `data: \xff\xfe\xc3\n\n${DONE}`,
  ),
  stream('NULs', 'HTML 9.2.6', 'whole', [streamHead(), chunkOf(`data: \0\0\n\n${DONE}`), end], `data: \0\0\n\n${DONE}`),
  stream('an event that is no JSON', 'HTML 9.2.6', 'whole', [streamHead(), chunkOf(`data: {{{\n\n${DONE}`), end], `data: {{{\n\n${DONE}`),
  stream(
    'a tool call of 6 KB right before the end mark',
    'OpenAI',
    'whole',
    [streamHead(), chunkOf(`${toolCall}${DONE}`), end],
    `${toolCall}${DONE}`,
  ),
  stream(
    'JSON 5000 deep',
    'HTML 9.2.6',
    'whole',
    [streamHead(), chunkOf(`data: ${'['.repeat(5_000)}\n\n${DONE}`), end],
    `data: ${'['.repeat(5_000)}\n\n${DONE}`,
  ),
  stream(
    '1000 comments',
    'HTML 9.2.6',
    'whole',
    [streamHead(), chunkOf(`${': x\n\n'.repeat(1_000)}${whole}`), end],
    `${': x\n\n'.repeat(1_000)}${whole}`,
  ),
  stream(
    'an event of 300 KiB',
    'HTML 9.2.6',
    'whole',
    [streamHead(), chunkOf(`${delta('x'.repeat(300_000))}${DONE}`), end],
    `${delta('x'.repeat(300_000))}${DONE}`,
  ),
  stream('no end mark', '8', cut, [streamHead(), chunkOf(events), end], events),
  stream('an end without its chunk', '8', cut, [streamHead(), chunkOf(events), 'close'], events),
  stream('a reset', '8', cut, [streamHead(), chunkOf(events), { pauseMs: 20 }, 'reset'], events),
  stream('closed in mid-event', '8', cut, [streamHead(), chunkOf(`${events}data: {"cho`), 'close'], events),
  stream(
    'closed in mid-character',
    '8',
    cut,
    [streamHead(), chunkOf(`${events}data: {"choices":[{"delta":{"content":"\xc3`), 'close'],
    events,
  ),
  stream('closed in a chunk size', '8', cut, [streamHead(), `${chunkOf(events)}1`, 'close'], events),
  stream('silence', '8', cut, [streamHead(), chunkOf(events)], events),
  stream('a bad chunk in mid-stream', '7.1', cut, [streamHead(), chunkOf(events), { pauseMs: 20 }, 'zz\r\nhello\r\n'], events),
  stream('a chunk longer than its size', '7.1', cut, [streamHead(), chunkOf(events), { pauseMs: 20 }, `2\r\nhello\r\n${end}`], events),
  stream('an LF where CRLF belongs', '7.1', cut, [streamHead(), chunkOf(events), { pauseMs: 20 }, '5\nhello\r\n'], events),
  stream(
    'a chunk extension in mid-stream',
    '7.1.1',
    [...cut, 'whole'],
    [streamHead(), chunkOf(events), { pauseMs: 20 }, `${DONE.length.toString(16)};a=b\r\n${DONE}\r\n${end}`],
  ),
  stream('a trailer', '7.1.2', [...cut, 'whole'], [streamHead(), chunkOf(whole), `0\r\nx-a: ${STRAY}\r\n\r\n`]),
  stream('a trailer that is a header', '7.1.2', [...cut, 'whole'], [streamHead(), chunkOf(whole), '0\r\ncontent-length: 5\r\n\r\n']),
  stream(
    'a second answer behind the end',
    '9.3',
    ['whole', ...cut],
    [streamHead(), chunkOf(whole), `${end}HTTP/1.1 200 OK\r\ncontent-length: ${STRAY.length}\r\n\r\n${STRAY}`],
  ),
  stream('a second answer later', '9.3', 'whole', [
    streamHead(),
    chunkOf(whole),
    end,
    { pauseMs: 30 },
    `HTTP/1.1 200 OK\r\ncontent-length: ${STRAY.length}\r\n\r\n${STRAY}`,
  ]),
  stream(
    'an error object, then the end mark',
    'OpenAI',
    ['whole', ...cut],
    [streamHead(), chunkOf(`${delta('a')}data: {"error":{"message":"x","type":"t","code":"c"}}\n\n${DONE}`), end],
    `${delta('a')}data: {"error":{"message":"x","type":"t","code":"c"}}\n\n${DONE}`,
  ),
  stream('CL and TE', '6.1', 'refused', [streamHead('content-length: 5\r\n'), chunkOf(whole), end]),
  stream('ended by the close', '6.3', 'whole', [`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${whole}`, 'close']),
  stream(
    'ended by the close in mid-line',
    '6.3',
    cut,
    [`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${events}data: {"cho`, 'close'],
    events,
  ),
  stream(
    'ended by the close in half an event behind the end mark',
    'HTML 9.2.6',
    'whole',
    [`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${whole}data: {"`, 'close'],
    whole,
  ),
  stream(
    'a clean end in half an event behind the end mark',
    'HTML 9.2.6',
    'whole',
    [streamHead(), chunkOf(`${whole}data: {"`), end],
    whole,
  ),
  stream('a clean end in mid-line', '7.1', cut, [streamHead(), chunkOf(`${events}data: {"cho`), end], events),
  stream('a clean end behind a comment', '7.1', cut, [streamHead(), chunkOf(`${events}: x`), end], events),
  stream(
    'ended by the close too soon',
    '6.3',
    cut,
    [`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${events}`, 'close'],
    events,
  ),
  stream('with a length', '6.2', 'whole', [
    `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${whole.length}\r\n\r\n${whole}`,
  ]),
  stream(
    'with a length that is too large',
    '6.2',
    cut,
    [`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${events.length + 9}\r\n\r\n${events}`, 'close'],
    events,
  ),
]
