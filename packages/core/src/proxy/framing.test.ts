import * as fc from 'fast-check'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rawAsk, readRaw } from './raw-ask.test.fixture.js'
import { chunk, delta, done, doorNames, event, lastChunk, Rig, role, streamHead, usage } from './scripted-gateway.test.fixture.js'

let rig: Rig

afterEach(() => rig.end())

/** What an engine sends; each piece is a write of its own. */
type Pieces = readonly Buffer[]

const scripts = new Map<string, Pieces>()
let names = 0

/** An engine that plays the script that the request's `user` names, with a turn between two writes so that they are read apart. */
async function play(socket: Socket, request: string): Promise<void> {
  const pieces = scripts.get(/"user":"([^"]+)"/.exec(request)?.[1] ?? '') ?? []
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (/content-type: text\/event-stream\r\n\r\n/.test(pieces[0]?.toString('latin1') ?? '')) socket.end()
}

interface Asked {
  readonly includeUsage?: boolean
  readonly version?: '1.0' | '1.1'
}

/** What a client gets when the engine sends these pieces. */
async function given(pieces: Pieces, { includeUsage = false, version = '1.1' }: Asked = {}): Promise<ReturnType<typeof readRaw>> {
  const user = `script-${names++}`
  scripts.set(user, pieces)
  const client = rawAsk(rig, { user, ...(includeUsage ? { stream_options: { include_usage: true } } : {}) }, { version })
  await client.end()
  return readRaw(client.text)
}

/** Cuts bytes at some places. */
function cutAt(text: string | Buffer, ...cuts: readonly number[]): Pieces {
  const bytes = Buffer.from(text)
  const points = [...new Set(cuts)].filter((cut) => cut > 0 && cut < bytes.byteLength).sort((a, b) => a - b)
  return [0, ...points].map((from, index) => bytes.subarray(from, points[index] ?? bytes.byteLength))
}

/** Chunks of so many bytes, wherever they cut events and characters. */
function chunksOf(text: string, size: number): string {
  const bytes = Buffer.from(text)
  let framed = ''
  for (let at = 0; at < bytes.byteLength; at += size) {
    const part = bytes.subarray(at, at + size)
    framed += `${part.byteLength.toString(16)}\r\n${part.toString('latin1')}\r\n`
  }
  return framed
}

const both = event({ choices: [{ index: 0, delta: { content: 'with usage' } }], usage: { prompt_tokens: 1, completion_tokens: 1 } })
const events = [role, delta('Fjörd '), delta('🚢'), both, usage, delta('"\\n'), usage, done]
const all = events.join('')
const shown = events.filter((part) => part !== usage).join('')

/** The same stream, framed in all ways that engines have. */
const framings: Record<string, string> = {
  'an event a chunk': events.map((part) => chunk(part)).join('') + lastChunk,
  'all in one chunk': chunk(all) + lastChunk,
  'two events a chunk': [0, 2, 4, 6].map((at) => chunk(events.slice(at, at + 2).join(''))).join('') + lastChunk,
  'capitals and zeros':
    events.map((part) => `00${Buffer.byteLength(part).toString(16).toUpperCase()}\r\n${part}\r\n`).join('') + '000\r\n\r\n',
  'eight digits': events.map((part) => `${Buffer.byteLength(part).toString(16).padStart(8, '0')}\r\n${part}\r\n`).join('') + lastChunk,
  trailers: events.map((part) => chunk(part)).join('') + '0\r\nx-time: 1\r\n\r\n',
  'CRLF in events': events.map((part) => chunk(part.replaceAll('\n', '\r\n'))).join('') + lastChunk,
}

/** Line breaks as LF, and one empty line where there are several: to a client that is the same. */
const joined = (text: string): string => text.replaceAll(/\r\n|\r/g, '\n').replaceAll(/\n{2,}/g, '\n\n')

describe.each(doorNames)('a stream through the %s door', (door) => {
  beforeEach(async () => {
    rig = new Rig(door)
    await rig.engine((socket, request) => void play(socket, request))
    await rig.open()
  })

  it.each(Object.keys(framings))(
    'is the same at every cut of the engine, and without the usage event that we asked for: %s',
    async (name) => {
      const text = streamHead + (framings[name] ?? '')
      const length = Buffer.byteLength(text)
      // Many cuts in each request, and over all requests one at each byte.
      const every = 40
      const cuts = (offset: number): number[] => Array.from({ length: Math.ceil(length / every) }, (_, index) => offset + index * every)
      const answers = await Promise.all(Array.from({ length: every }, (_, offset) => given(cutAt(text, ...cuts(offset)))))
      for (const { body } of answers) expect(joined(body)).toBe(shown)
      expect(joined((await given(cutAt(text), { includeUsage: true })).body)).toBe(all)
    },
  )

  it('is kept apart from all others, however their bytes are mixed', async () => {
    const own = Array.from({ length: 40 }, (_, index) => {
      const texts = Array.from({ length: 12 }, (_, part) => delta(`${index}.${part} ${'ü🚢'.repeat((index * part) % 17)}`))
      return { sent: role + texts.join('') + usage + done, shown: role + texts.join('') + done }
    })
    const answers = await Promise.all(
      own.map(({ sent }, index) => {
        const bytes = Buffer.from(streamHead + chunksOf(sent, 40 + index * 7) + lastChunk, 'latin1')
        const every = 61 + index
        return given(cutAt(bytes, ...Array.from({ length: Math.ceil(bytes.byteLength / every) }, (_, cut) => cut * every)))
      }),
    )
    expect(answers.map(({ body }) => body)).toEqual(own.map(({ shown }) => shown))
  })

  it('is the same at any cuts, chunk sizes and versions', async () => {
    const length = Buffer.byteLength(all) * 2
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constantFrom(...Object.values(framings)), fc.integer({ min: 1, max: 300 })),
        fc.array(fc.nat(length), { maxLength: 12 }),
        fc.record({ includeUsage: fc.boolean(), version: fc.constantFrom('1.0' as const, '1.1' as const) }),
        async (framing, cuts, asked) => {
          const framed = typeof framing === 'string' ? Buffer.from(framing) : Buffer.from(chunksOf(all, framing) + lastChunk, 'latin1')
          const bytes = Buffer.concat([Buffer.from(streamHead), framed])
          const { head, body } = await given(cutAt(bytes, ...cuts.map((cut) => cut % bytes.byteLength)), asked)
          expect(joined(body)).toBe(asked.includeUsage ? all : shown)
          expect(/transfer-encoding/i.test(head)).toBe(asked.version === '1.1')
        },
      ),
      { numRuns: 30 },
    )
  })

  it.each(['1.0', '1.1'] as const)('from an engine that frames by its close reaches a client of HTTP/%s', async (version) => {
    const text = `HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${all}`
    for (const cut of [0, 70, 120, 200, 300]) expect((await given(cutAt(text, cut), { version })).body).toBe(shown)
  })

  it('with bad frames is cut, not repaired', async () => {
    for (const bad of ['5;x=y\r\nhello\r\n', '5 \r\nhello\r\n', 'zz\r\n', '5\nhello\n', '5\r\nhello!\r\n']) {
      const { body } = await given(cutAt(streamHead + chunk(role + delta('begun')) + bad + chunk(done) + lastChunk))
      expect(body.startsWith(role + delta('begun'))).toBe(true)
      expect(body).toContain('"code":"LB_STREAM_CUT"')
      expect(body).not.toContain('[DONE]')
      expect(body).not.toContain('hello')
    }
  })
})
