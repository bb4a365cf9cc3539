import { describe, expect, it } from 'vitest'
import { isLbError } from '../errors/index.js'
import { scanRequest } from './request-scan.js'
import { handedOverIn, prefillBody, spliceBody } from './splice-body.js'

const scan = (text: string) => scanRequest('openai-chat', Buffer.from(text))
const text = (...parts: readonly Buffer[]) => Buffer.concat(parts).toString('utf8')

describe('reading a request', () => {
  it('takes the fields that routing needs', () => {
    expect(scan('{"model":"m","stream":true,"max_tokens":7,"stream_options":{"include_usage":true}}')).toMatchObject({
      model: 'm',
      stream: true,
      maxTokens: 7,
      includeUsage: true,
    })
    expect(scan('{"max_completion_tokens":5,"max_tokens":7,"stream":null}')).toMatchObject({
      model: undefined,
      stream: false,
      maxTokens: 5,
      includeUsage: false,
    })
  })

  it.each([
    ['{"model":1}', 'LB_BAD_REQUEST'],
    ['{"stream":"yes"}', 'LB_BAD_REQUEST'],
    ['{"model":', 'LB_BAD_JSON'],
  ])('refuses %s with a code of its own', (body, code) => {
    try {
      scan(body)
      expect.unreachable()
    } catch (error) {
      expect(isLbError(error) && { code: error.code, status: error.httpStatus }).toEqual({ code, status: 400 })
    }
  })
})

describe('splicing a body', () => {
  it('changes the model and nothing else', () => {
    const body = '{ "messages":[{"role":"user","content":"m \\u00e9 1e400"}] , "model" : "m", "seed": 12345678901234567890 }'
    expect(text(...spliceBody(scan(body), 'there', false))).toBe(body.replace('"model" : "m"', '"model" : "there"'))
  })

  it('asks for usage, keeping other stream options', () => {
    expect(JSON.parse(text(...spliceBody(scan('{"stream":true}'), undefined, true)))).toEqual({
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(
      JSON.parse(text(...spliceBody(scan('{"stream_options":{"x":1,"include_usage":false},"stream":true}'), undefined, true))),
    ).toEqual({
      stream: true,
      stream_options: { x: 1, include_usage: true },
    })
  })

  it('makes valid JSON of an empty object and of both edits at once', () => {
    expect(JSON.parse(text(...spliceBody(scan('{}'), 'a', true)))).toEqual({
      model: 'a',
      stream_options: { include_usage: true },
    })
    expect(JSON.parse(text(...spliceBody(scan(' {"n":1}'), 'a', true)))).toEqual({
      n: 1,
      model: 'a',
      stream_options: { include_usage: true },
    })
  })

  it('returns the very same bytes when nothing differs', () => {
    const found = scan('{"model":"m"}')
    expect(text(...spliceBody(found, undefined, false))).toBe(Buffer.from(found.body).toString('utf8'))
  })
})

describe('a body of which one half goes elsewhere', () => {
  const handover = { faces: ['openai-chat'], field: 'place', ask: '{"compute":true}' } as const

  it('asks for one plain token and leaves alone what decides the prompt', () => {
    const body =
      '{"messages":[ 1e400 ],"tools":[],"stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":9,"best_of":3,"seed":1}'
    const asked = text(...prefillBody(scan(body), 'there', handover))
    expect(asked).toContain('"messages":[ 1e400 ],"tools":[]')
    expect(asked).toMatch(/^\{"max_tokens":1,"place":\{"compute":true\},"model":"there",/)
    expect(asked).toContain('"stream":false,"stream_options":null,"max_completion_tokens":1,"best_of":1,"seed":1')
    expect(JSON.parse(text(...prefillBody(scan('{}'), undefined, handover)))).toEqual({ max_tokens: 1, place: { compute: true } })
  })

  it('carries what was said of the place byte for byte, beside the other edits', () => {
    const said = handedOverIn(Buffer.from('{"a":1, "place" :{ "id":12345678901234567890}  }'), 'place')
    expect(said).toEqual({ field: 'place', text: '{ "id":12345678901234567890}' })
    expect(text(...spliceBody(scan('{"stream":true}'), 'there', true, said))).toBe(
      '{"model":"there","stream_options":{"include_usage":true},"place":{ "id":12345678901234567890},"stream":true}',
    )
  })

  it.each(['', '[]', '{"place":null}', '{"places":{}}', '{"place":{}', '{"place":1,"place":2}'])('finds no place in %s', (answer) => {
    expect(handedOverIn(Buffer.from(answer), 'place')).toBeUndefined()
  })
})
