import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openaiDialect } from '../dialects/index.js'
import { doorNames, plainAnswer, Rig } from './scripted-gateway.test.fixture.js'

let rig: Rig

const answer = plainAnswer(200, { text: 'hello' })
const sound = Uint8Array.from({ length: 20_000 }, (_, index) => (index * 7) & 0xff)

function form(fields: Record<string, string>): FormData {
  const data = new FormData()
  data.append('file', new Blob([sound], { type: 'audio/wav' }), 'a.wav')
  for (const [name, value] of Object.entries(fields)) data.append(name, value)
  return data
}

const post = (body: FormData | string): Promise<Response> => fetch(rig.url, { method: 'POST', body })

/** The form in the head and body that an engine got. */
async function formOf(request: string): Promise<FormData> {
  const [head = '', ...rest] = request.split('\r\n\r\n')
  const type = /content-type: (.*)/.exec(head)?.[1] ?? ''
  return new Response(Buffer.from(rest.join('\r\n\r\n'), 'latin1'), { headers: { 'content-type': type } }).formData()
}

describe.each(doorNames)('the %s door:', (door) => {
  beforeEach(() => {
    rig = new Rig(door)
    rig.face = 'openai-transcriptions'
  })

  afterEach(() => rig.end())

  describe('a form', () => {
    it.each([
      ['m', 'name-there'],
      ['m', undefined],
      [undefined, 'name-there'],
    ])('with the model %s reaches a node that calls it %s as a form', async (asked, there) => {
      await rig.engine((socket) => void socket.write(answer), { model: there })
      await rig.open()
      const reply = await post(form({ ...(asked === undefined ? {} : { model: asked }), language: 'en' }))
      expect([reply.status, await reply.json()]).toEqual([200, { text: 'hello' }])
      const request = rig.requests[0]?.[0] ?? ''
      expect(request).toMatch(/^POST \/v1\/audio\/transcriptions HTTP\/1\.1\r\n/)
      const got = await formOf(request)
      expect([...got.keys()].sort()).toEqual(['file', 'language', 'model'])
      expect(got.get('model')).toBe(there ?? asked)
      expect(new Uint8Array(await (got.get('file') as File).arrayBuffer())).toEqual(sound)
      await expect.poll(() => rig.records[0]).toMatchObject({ face: 'openai-transcriptions', model: 'm', outcome: 'ok' })
    })

    it('goes to nodes that have the path only', async () => {
      await rig.engine((socket) => void socket.write(answer), {
        dialect: openaiDialect({ paths: { 'openai-chat': '/v1/chat/completions' } }),
      })
      await rig.open()
      expect((await post(form({ model: 'm' }))).status).toBe(503)
    })

    it('is refused where JSON belongs, and JSON where a form does', async () => {
      await rig.engine((socket) => void socket.write(answer))
      await rig.open()
      const code = 'LB_BAD_REQUEST'
      const json = await post('{"model":"m"}')
      expect(json.status).toBe(400)
      expect(await json.json()).toMatchObject({
        error: { code, message: expect.stringContaining('sent as multipart/form-data') as string },
      })
      rig.face = 'openai-chat'
      const data = await post(form({ model: 'm' }))
      expect(data.status).toBe(400)
      expect(await data.json()).toMatchObject({
        error: { code, message: expect.stringContaining('an openai-chat request is JSON') as string },
      })
      expect(rig.requests[0]).toEqual([])
    })
  })
})
