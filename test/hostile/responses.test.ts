/** Rows h and i of the promises, the engines' side: whatever an engine sends, a client gets its own answer, an error, or a broken body. */
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerCorpus } from './corpus-answers.js'
import { streamCorpus } from './corpus-streams.js'
import { doorNames, openDoors, type DoorName, type Doors } from './doors.js'
import { endsInErrorEvent, isOpenAiError, show } from './judge.js'
import { parse, statusOf, talk, type Talk } from './raw-client.js'
import { plain, RawOrigin, receipt } from './raw-origin.js'
import { latin1, post } from './request-case.js'
import { act, STRAY, type ResponseCase } from './response-case.js'

let origin: RawOrigin
let doors: Doors
const table: string[] = []

beforeAll(async () => {
  origin = await RawOrigin.start()
  doors = await openDoors(origin, '500ms')
})

afterAll(async () => {
  const path = process.env['LB_HOSTILE_TABLE']
  if (path !== undefined) writeFileSync(`${path}.answers`, `${table.join('\n')}\n`)
  await doors.close()
  origin.close()
})

/** How long an answer may take: the engine's silence is bounded by the pool's timeouts (2 s and 0.5 s). */
const LONGEST_MS = 4_000
const question = (one: ResponseCase): string =>
  JSON.stringify({
    model: 'm',
    messages: [],
    user: 'hostile',
    ...(one.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  })

/** What the client saw, from its bytes. */
function seenIn(one: ResponseCase, said: Talk): string {
  const [first] = said.responses
  const bytes = said.bytes.toString('latin1')
  if (first === undefined) return bytes.startsWith('HTTP/1.1 200') && said.closed ? 'broken' : `nothing whole: ${show(said.bytes)}`
  if (statusOf(first) === one.status && first.body.equals(one.body)) return 'whole'
  if ([502, 504].includes(statusOf(first)) && isOpenAiError(first.body)) return 'refused'
  const text = first.body.toString('latin1')
  return one.stream &&
    endsInErrorEvent(first.body) &&
    text.includes('"LB_STREAM_CUT"') &&
    (!text.includes('[DONE]') || text.startsWith(one.body.toString('latin1')))
    ? 'broken'
    : `something else: ${show(said.bytes)}`
}

async function play(door: DoorName, one: ResponseCase) {
  const port = doors.ports[door]
  const sent = latin1(post(question(one)))
  const acted: Promise<void>[] = []
  origin.script = (request, socket) => {
    if (request.body.includes('"hostile"')) acted.push(act(one.acts, socket))
    else socket.write(plain(receipt(request.body)))
  }
  const said = await talk(port, [sent], { answers: 1, toClose: false, longestMs: LONGEST_MS, quietMs: 5 })
  // What comes late must find the connection idle: bytes on a connection that was asked anew are an answer to nobody's eyes but the engine's.
  await Promise.all(acted)
  await new Promise((resolve) => setTimeout(resolve, 5))
  const next = `{"model":"m","user":"next of ${one.name.replaceAll(/[^ -!#-[\]-~]/g, '?')}"}`
  const after = [0, 1, 2].map(() => talk(port, [latin1(post(next))], { answers: 1, toClose: false, longestMs: LONGEST_MS, quietMs: 5 }))
  const answers = await Promise.all(after)
  origin.calm()
  return { said, expected: receipt(latin1(next)), after: answers }
}

describe.each(doorNames)('answers at the %s door', (door) => {
  for (const one of [...answerCorpus, ...streamCorpus]) {
    const title = `${one.stream ? 'stream: ' : ''}${one.name}`
    it(`${title} (${one.rfc})`, async () => {
      const { said, after, expected } = await play(door, one)
      const seen = seenIn(one, said)
      table.push([door, title, one.seen.join(' or '), seen].join('\t'))
      expect(seen).toBeOneOf([...one.seen])
      for (const { bytes, responses } of [said, ...after]) {
        expect(bytes.includes(STRAY), 'bytes of nobody reached a client').toBe(false)
        expect(responses.length).toBeLessThanOrEqual(1)
      }
      for (const { responses } of after) expect(responses.map(({ body }) => body.toString())).toEqual([expected])
      expect(doors.ended()).toBeUndefined()
    })
  }

  it('keeps stray bytes of a pooled connection from 50 clients at once', async () => {
    origin.script = (request, socket) => {
      const text = receipt(request.body)
      socket.write(['', text, STRAY].reduce((all, part) => `${all}HTTP/1.1 200 OK\r\ncontent-length: ${part.length}\r\n\r\n${part}`))
    }
    const bodies = Array.from({ length: 300 }, (_, index) => `{"model":"m","user":"client ${index}"}`)
    const lanes = Array.from({ length: 50 }, async (_, lane) => {
      for (const body of bodies.filter((_, index) => index % 50 === lane)) {
        const said = await talk(doors.ports[door], [latin1(post(body))], { answers: 1, toClose: false, longestMs: LONGEST_MS, quietMs: 2 })
        expect(said.bytes.includes(STRAY)).toBe(false)
        const [first] = said.responses
        if (statusOf(first) === 200) expect(first?.body.toString()).toBe(receipt(latin1(body)))
        else expect(isOpenAiError(first?.body ?? Buffer.alloc(0))).toBe(true)
      }
    })
    await Promise.all(lanes)
    origin.calm()
  })
})

describe('the reader of answers', () => {
  it('sees a second answer and stray bytes: the control', () => {
    const one = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
    expect(parse(latin1(`${one}${one}`), true).responses).toHaveLength(2)
    expect(parse(latin1(`${one}${STRAY}`), true).rest.toString()).toBe(STRAY)
    expect(parse(latin1('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok'), true).responses).toHaveLength(0)
    expect(parse(latin1('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a\nok'), true).error).toBeDefined()
  })
})
