import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  chunk,
  delta,
  done,
  doorNames,
  lastChunk,
  pieces,
  plainAnswer,
  Rig,
  role,
  streamHead,
  usage,
} from './scripted-gateway.test.fixture.js'

const ok = plainAnswer(200, {
  choices: [{ message: { content: 'hi' } }],
  usage: { prompt_tokens: 7, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } },
})
const whole = (script: string) => (socket: { write(text: string, encoding: BufferEncoding): unknown }) =>
  void socket.write(script, 'latin1')

describe.each(doorNames)('the %s door:', (door) => {
  let rig: Rig

  beforeEach(() => {
    rig = new Rig(door)
  })

  afterEach(() => rig.end())

  describe('a plain request', () => {
    it('is answered byte for byte and accounted once', async () => {
      await rig.engine(whole(ok))
      await rig.open()
      const answer = await rig.ask({ max_tokens: 5 })
      expect(await answer.text()).toBe(ok.split('\r\n\r\n')[1])
      expect(answer.headers.get('x-lb-node')).toBe('p/n0')
      await expect.poll(() => rig.records).toHaveLength(1)
      expect(rig.records[0]).toMatchObject({
        outcome: 'ok',
        status: 200,
        promptTokens: 7,
        completionTokens: 2,
        cachedTokens: 4,
        tokensMeasured: true,
        attempts: [{ node: 'p/n0', outcome: 'answered' }],
      })
    })

    it('carries the key of the node and none of the client', async () => {
      await rig.engine(whole(ok), { authHeaders: { authorization: 'Bearer node-key' }, model: 'name-there' })
      await rig.open()
      await (
        await rig.ask(
          {},
          { authorization: 'Bearer client-key', cookie: 'c=1', 'x-conversation-id': 'z', 'x-api-key': 'k', 'content-type': 'text/plain' },
        )
      ).text()
      const sent = rig.requests[0]?.[0] ?? ''
      expect(sent).toContain('authorization: Bearer node-key')
      expect(sent).toContain('content-type: application/json')
      expect(sent).toContain('"model":"name-there"')
      expect(sent).not.toMatch(/client-key|cookie|x-conversation-id|x-api-key/)
    })

    it('reuses the connection, and asks again when the engine had closed it', async () => {
      let connections = 0
      await rig.engine((socket) => {
        connections += 1
        socket.write(ok)
        // Closed right behind the answer, without saying so: the next request meets a dead connection.
        if (connections === 1) socket.end()
      })
      await rig.open()
      for (let index = 0; index < 3; index += 1) expect((await rig.ask({})).status).toBe(200)
      await expect.poll(() => rig.records).toHaveLength(3)
      expect(rig.records.every((record) => record.attempts.length === 1)).toBe(true)
    })
  })

  describe('a node that fails before anything was shown', () => {
    const failures: Record<string, (rig: Rig) => Promise<void> | void> = {
      'refuses the connection': (rig) => rig.dead(),
      'closes without an answer': (rig) => rig.engine((socket) => void socket.destroy()),
      'resets in mid-head': (rig) => rig.engine((socket) => void socket.write('HTTP/1.1 200', () => socket.resetAndDestroy())),
      'sends half a plain body': (rig) =>
        rig.engine((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhalf', () => socket.destroy())),
      'speaks nonsense': (rig) => rig.engine((socket) => void socket.write('hello\r\n\r\n')),
      'answers 503': (rig) => rig.engine(whole(plainAnswer(503, { error: { message: 'Loading model' } }))),
      'answers 429': (rig) => rig.engine(whole(plainAnswer(429, { error: { message: 'slow down' } }))),
    }
    it.each(Object.keys(failures))('is invisible: %s', async (name) => {
      await failures[name]?.(rig)
      await rig.engine(whole(ok))
      await rig.open()
      const answer = await rig.ask({})
      expect(answer.status).toBe(200)
      expect(answer.headers.get('x-lb-attempts')).toBe('2')
      expect(answer.headers.get('x-lb-node')).toBe('p/n1')
      await expect.poll(() => rig.records[0]?.attempts.length).toBe(2)
    })

    it('is tried once each, and at most `retries` more', async () => {
      rig.retries = 1
      for (let index = 0; index < 3; index += 1) await rig.engine((socket) => void socket.destroy())
      await rig.engine(whole(ok))
      await rig.open()
      const answer = await rig.ask({})
      expect(answer.status).toBe(502)
      expect(await answer.json()).toMatchObject({ error: { code: 'LB_UPSTREAM_FAILED' } })
      await expect.poll(() => rig.records[0]?.attempts.map((attempt) => attempt.node)).toEqual(['p/n0', 'p/n1'])
    })

    it('is no try where it could not be reached, unless nothing is tried again at all', async () => {
      rig.retries = 1
      for (let index = 0; index < 3; index += 1) rig.dead()
      await rig.engine(whole(ok))
      await rig.open()
      expect((await rig.ask({})).headers.get('x-lb-attempts')).toBe('4')
      rig.retries = 0
      expect((await rig.ask({})).status).toBe(502)
    })

    it('passes the last refusal on when no node is left', async () => {
      await rig.engine(whole(plainAnswer(503, { error: { message: 'the first' } })))
      await rig.engine(whole(plainAnswer(503, { error: { message: 'the second' } })))
      await rig.open()
      const answer = await rig.ask({})
      expect(answer.status).toBe(503)
      expect(await answer.text()).toContain('the second')
    })

    it("does not send a client's own mistake around", async () => {
      await rig.engine(whole(plainAnswer(400, { error: { message: 'bad' } })))
      await rig.engine(whole(ok))
      await rig.open()
      expect((await rig.ask({})).status).toBe(400)
      await expect.poll(() => rig.records[0]).toMatchObject({ outcome: 'client-error', attempts: [{ node: 'p/n0' }] })
    })
  })

  describe('no node at all', () => {
    it('is 503 with Retry-After and a reason', async () => {
      await rig.open()
      const answer = await rig.ask({})
      expect(answer.status).toBe(503)
      expect(answer.headers.get('retry-after')).toBe('5')
      expect(await answer.json()).toMatchObject({ error: { code: 'LB_NO_READY_NODE' } })
    })
  })

  describe('a stream', () => {
    const events = role + delta('Fjörd ') + delta('🚢') + usage + done

    it.each([1, 2, 3, 4, 5])('reaches the client unchanged but for the usage event, however it is cut (seed %i)', async (seed) => {
      await rig.engine((socket) => {
        socket.write(streamHead)
        for (const part of pieces(events, seed)) socket.write(`${part.length.toString(16)}\r\n${part}\r\n`, 'latin1')
        socket.write(lastChunk)
      })
      await rig.open()
      expect(await (await rig.ask({ stream: true })).text()).toBe(events.replace(usage, ''))
      expect(await (await rig.ask({ stream: true, stream_options: { include_usage: true } })).text()).toBe(events)
      expect(rig.requests[0]?.[0]).toContain('"include_usage":true')
      await expect.poll(() => rig.records[1]).toMatchObject({ outcome: 'ok', promptTokens: 3, completionTokens: 2 })
      expect(rig.records[0]?.ttftMs).toBeGreaterThanOrEqual(0)
    })

    it('moves when its node dies after the role but before the first content', async () => {
      await rig.engine((socket) => void socket.write(streamHead + chunk(role), () => socket.destroy()))
      await rig.engine(whole(streamHead + chunk(role + delta('here')) + chunk(done) + lastChunk))
      await rig.open()
      const answer = await rig.ask({ stream: true })
      expect(await answer.text()).toBe(role + delta('here') + done)
      expect(answer.headers.get('x-lb-attempts')).toBe('2')
    })

    it.each(['destroy', 'resetAndDestroy'] as const)(
      'that breaks after content ends in an error event and without [DONE] (%s)',
      async (how) => {
        await rig.engine(
          (socket) => void socket.write(streamHead + chunk(role + delta('begun')), () => setTimeout(() => socket[how](), 20)),
        )
        await rig.engine(whole(ok))
        await rig.open()
        const text = await (await rig.ask({ stream: true })).text()
        expect(text.startsWith(role + delta('begun'))).toBe(true)
        expect(text).toContain('"code":"LB_STREAM_CUT"')
        expect(text).not.toContain('[DONE]')
        await expect.poll(() => rig.records[0]?.outcome).toBe('cut')
      },
    )

    it('that ends politely without its end mark is told as cut', async () => {
      await rig.engine(whole(streamHead + chunk(role + delta('begun')) + lastChunk))
      await rig.open()
      expect(await (await rig.ask({ stream: true })).text()).toContain('LB_STREAM_CUT')
    })

    it("that begins with the engine's error shows that error", async () => {
      const failure = 'data: {"error":{"message":"out of memory"}}\n\n'
      await rig.engine(whole(streamHead + chunk(failure) + chunk(done) + lastChunk))
      await rig.open()
      expect(await (await rig.ask({ stream: true })).text()).toContain('out of memory')
    })
  })

  describe('a client that leaves', () => {
    it.each([
      ['while the answer is held', '', false],
      ['in mid-stream', chunk(role + delta('a')), true],
    ])('closes the connection to the engine: %s', async (_title, begun, visible) => {
      let closed = 0
      await rig.engine((socket) => {
        socket.on('close', () => (closed += 1))
        socket.write(streamHead + begun)
      })
      await rig.open()
      const leave = new AbortController()
      const asked = rig.ask({ stream: true }, {}, leave.signal)
      if (visible) await (await asked).body?.getReader().read()
      else await expect.poll(() => rig.requests[0]).toHaveLength(1)
      leave.abort()
      await asked.catch(() => undefined)
      await expect.poll(() => closed).toBe(1)
      await expect.poll(() => rig.records[0]?.outcome).toBe('client-gone')
    })
  })

  describe('backpressure', () => {
    it('stops the engine while the client does not read', async () => {
      let sent = 0
      await rig.engine((socket) => {
        socket.write(streamHead + chunk(delta('x')))
        const pump = (): void => {
          while (sent < 200_000_000 && socket.write(chunk(delta('y'.repeat(10_000))))) sent += 10_000
          if (!socket.destroyed) socket.once('drain', pump)
        }
        pump()
      })
      await rig.open()
      const leave = new AbortController()
      const answer = await rig.ask({ stream: true }, {}, leave.signal)
      await answer.body?.getReader().read()
      let before = -1
      await expect
        .poll(() => [before, (before = sent)].every((value, _index, all) => value === all[0]), { interval: 300, timeout: 10_000 })
        .toBe(true)
      expect(sent).toBeLessThan(60_000_000)
      leave.abort()
      await expect.poll(() => rig.records).toHaveLength(1)
    })
  })

  describe('a bad body', () => {
    it.each([
      ['{"model":', 400, 'LB_BAD_JSON'],
      ['{"model":"other"}', 404, 'LB_UNKNOWN_MODEL'],
      [JSON.stringify({ model: 'm', x: 'x'.repeat(100_001) }), 413, 'LB_BODY_TOO_LARGE'],
    ])('gets a code (%#)', async (body, status, code) => {
      await rig.open()
      const answer = await fetch(rig.url, { method: 'POST', body })
      expect(answer.status).toBe(status)
      expect(await answer.json()).toMatchObject({ error: { code } })
      await expect.poll(() => rig.records).toHaveLength(1)
    })
  })
})
