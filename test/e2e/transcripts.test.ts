/** Every recorded exchange of a real llama-server goes through the real gateway. transcripts/replays.ts says which way each takes. */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { received, recordings, Replay, transcript } from './transcripts/replay.js'
import { replays } from './transcripts/replays.js'

/** What an engine's answer may bring along; everything else of it stays inside. */
const passed = new Set(['content-type', 'cache-control', 'x-accel-buffering', 'retry-after'])
const ours = new Set([
  'x-request-id',
  'x-lb-node',
  'x-lb-attempts',
  'content-length',
  'transfer-encoding',
  'connection',
  'date',
  'keep-alive',
])

const models = ['tiny', 'x', 'my-alias', 'other-name', 'does-not-exist', 'model-a', 'model-b', 'model-c', 'nope']
let replay: Replay

beforeAll(async () => {
  replay = await Replay.start(models)
})

afterAll(() => replay.close())

const bodyOf = (request: string): string => request.slice(request.indexOf('\r\n\r\n') + 4)
const codeOf = (body: Buffer): string => (JSON.parse(body.toString('utf8')) as { error: { code: string } }).error.code

it('each recorded exchange has its way, and none is left out', () => {
  const files = readdirSync(recordings)
  const names = files.filter((file) => file.endsWith('.http')).map((file) => file.slice(0, -'.http'.length))
  expect(Object.values(replays).flat().sort()).toEqual(names.sort())
  expect(names).toHaveLength(153)
})

describe('a recorded answer', () => {
  it.each(replays.same)('%s comes to the client byte for byte', async (name) => {
    const exchange = transcript(name)
    const wanted = received(exchange.answer)
    const got = await replay.play(name)
    expect(got.status).toBe(wanted.status)
    expect(got.body.equals(wanted.body), got.body.toString('utf8')).toBe(true)
    expect(got.whole).toBe(true)
    expect(got.headers['content-type']).toBe(wanted.headers['content-type'])
    expect(Object.keys(got.headers).filter((header) => !passed.has(header) && !ours.has(header))).toEqual([])
    expect(replay.reached).toHaveLength(1)
  })

  it.each(replays.cut)('%s comes as far as it went, and its end says that it was cut', async (name) => {
    const wanted = received(transcript(name).answer)
    const got = await replay.play(name)
    const text = got.body.toString('utf8')
    const cutAt = text.lastIndexOf('data: {"error"')
    expect(got.status).toBe(200)
    expect(got.whole).toBe(true)
    expect(wanted.body.toString('utf8').startsWith(text.slice(0, cutAt).trimEnd())).toBe(true)
    expect(text.slice(0, cutAt).trimEnd().length).toBeGreaterThan(wanted.body.toString('utf8').trimEnd().length - 400)
    expect(text.slice(cutAt)).toMatch(/^data: \{"error":\{.*"code":"LB_[A-Z_]+".*\}\}\n\n$/)
    expect(text).not.toContain('[DONE]')
  })

  it.each(replays.unanswered)('%s that never came is an error of the engine', async (name) => {
    const got = await replay.play(name)
    const silent = transcript(name).ended.startsWith('Timeout')
    expect({ status: got.status, code: codeOf(got.body) }).toEqual(
      silent ? { status: 504, code: 'LB_UPSTREAM_TIMEOUT' } : { status: 502, code: 'LB_UPSTREAM_FAILED' },
    )
  })
})

describe('a recorded request', () => {
  it.each(replays.same.filter((name) => transcript(name).method === 'POST'))(
    '%s reaches the engine as its client meant it',
    async (name) => {
      const exchange = transcript(name)
      await replay.play(name)
      const [reached = ''] = replay.reached
      const sent = JSON.parse(exchange.requestBody.toString('utf8')) as Record<string, unknown>
      const {
        stream_options: _usage,
        stream,
        ...rest
      } = JSON.parse(Buffer.from(bodyOf(reached), 'latin1').toString('utf8')) as Record<string, unknown>
      const { stream_options: _asked, stream: wished, ...meant } = sent
      expect(rest).toEqual(meant)
      // A plain request may be sent as a stream and collected, never the other way round.
      if (wished === true) expect(stream).toBe(true)
      expect(reached).not.toMatch(/^(x-conversation-id|authorization|cookie):/im)
    },
  )

  it.each(replays.own)('%s is answered by the gateway, which does not ask the engine for it', async (name) => {
    expect(await replay.play(name)).toMatchObject({ status: 200, whole: true })
    expect(replay.reached).toEqual([])
  })

  it.each(replays.refused)('%s is refused with the path and what is served', async (name) => {
    const got = await replay.play(name)
    const [path = ''] = transcript(name).path.split('?')
    expect({ status: got.status, code: codeOf(got.body) }).toEqual({ status: 404, code: 'LB_NO_SUCH_PATH' })
    expect(got.body.toString('utf8')).toContain(`${path} is not served: `)
    expect(replay.reached).toEqual([])
  })

  it.each(replays.wrongMethod)('%s is told the right method', async (name) => {
    const got = await replay.play(name)
    expect({ status: got.status, code: codeOf(got.body), allow: got.headers['allow'] }).toEqual({
      status: 405,
      code: 'LB_WRONG_METHOD',
      allow: 'POST',
    })
    expect(replay.reached).toEqual([])
  })

  it.each(replays.badJson)('%s is refused before the engine sees it', async (name) => {
    const got = await replay.play(name)
    expect({ status: got.status, code: codeOf(got.body) }).toEqual({ status: 400, code: 'LB_BAD_JSON' })
    expect(replay.reached).toEqual([])
  })
})
