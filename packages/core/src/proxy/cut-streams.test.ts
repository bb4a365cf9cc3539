import type { Socket } from 'node:net'
import OpenAI, { APIError } from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chunk, delta, done, doorNames, lastChunk, Rig, role, streamHead, usage } from './scripted-gateway.test.fixture.js'

describe.each(doorNames)('a cut stream, to the official client at the %s door', (door) => {
  let rig: Rig
  /** Ends the stream that has begun. */
  let end: (socket: Socket) => unknown = () => undefined

  beforeEach(async () => {
    rig = new Rig(door)
    await rig.engine((socket) => {
      socket.write(streamHead + chunk(role + delta('Fjörd ')) + chunk(delta('🚢')))
      sockets.push(socket)
    })
    sockets.length = 0
    await rig.open()
  })

  afterEach(() => rig.end())

  const sockets: Socket[] = []

  /** Reads to the end; the engine ends the stream once the client has seen its text. */
  async function read(): Promise<{ text: string; error: unknown }> {
    const openai = new OpenAI({ baseURL: rig.url.replace('/chat/completions', ''), apiKey: 'k', maxRetries: 0, logLevel: 'off' })
    let text = ''
    try {
      const stream = await openai.chat.completions.create({ model: 'm', messages: [], stream: true })
      for await (const part of stream) {
        text += part.choices[0]?.delta.content ?? ''
        if (text === 'Fjörd 🚢') sockets.splice(0).forEach((socket) => end(socket))
      }
      return { text, error: undefined }
    } catch (error) {
      return { text, error }
    }
  }

  it.each<[string, (socket: Socket) => unknown]>([
    ['closed', (socket) => socket.destroy()],
    ['reset', (socket) => socket.resetAndDestroy()],
    ['ended politely without its end mark', (socket) => socket.write(lastChunk)],
    ['ended politely behind a usage event', (socket) => socket.write(chunk(usage) + lastChunk)],
    ['cut in the middle of an event', (socket) => socket.write(chunk(delta('never').slice(0, 25)), () => socket.destroy())],
    ['cut in the middle of a chunk', (socket) => socket.write(chunk(delta('never')).slice(0, 25), () => socket.destroy())],
    ['badly framed', (socket) => socket.write('hello')],
  ])('is an error with its code: %s', async (_title, script) => {
    end = script
    const { text, error } = await read()
    expect(text).toBe('Fjörd 🚢')
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ code: 'LB_STREAM_CUT' })
    await expect.poll(() => rig.records[0]).toMatchObject({ outcome: 'cut', attempts: [{ outcome: 'cut' }] })
  })

  it('is an error even where it was cut inside an event too long to hold', async () => {
    end = (socket) =>
      socket.write(chunk(`data: {"choices":[{"delta":{"content":"${'x'.repeat(200_000)}`), () => setTimeout(() => socket.destroy(), 20))
    const { text, error } = await read()
    expect(text).toBe('Fjörd 🚢')
    expect(error).toBeInstanceOf(Error)
  })

  it('is none when it is whole', async () => {
    end = (socket) => socket.write(chunk(delta('!')) + chunk(done) + lastChunk)
    expect(await read()).toEqual({ text: 'Fjörd 🚢!', error: undefined })
  })
})
