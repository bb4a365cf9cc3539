import { describe, expect, it } from 'vitest'
import { isContinuable } from './continuable.js'
import { scanRequest } from './request-scan.js'

const continuable = (body: object, face: Parameters<typeof scanRequest>[0] = 'openai-chat'): boolean =>
  isContinuable(scanRequest(face, Buffer.from(JSON.stringify({ model: 'm', stream: true, ...body }))))

describe('a stream that could be continued', () => {
  it.each([
    ['plain text', {}],
    ['with what samples it', { temperature: 0.5, max_tokens: 5, user: 'u', seed: 1, stream_options: { include_usage: true } }],
    ['one choice, said so', { n: 1 }],
    ['null where a field may be left out', { n: null, tools: null }],
    ['stop sequences, which are judged when it breaks off', { stop: ['a'] }],
  ])('%s', (_title, body) => {
    expect([continuable(body), continuable(body, 'openai-completions')]).toEqual([true, true])
  })

  it.each([
    ['no stream', { stream: false }],
    ['several choices', { n: 2 }],
    ['a number that is a text', { n: '1' }],
    ['tools', { tools: [] }],
    ['functions', { functions: [] }],
    ['a format', { response_format: { type: 'json_object' } }],
    ['probabilities', { logprobs: true }],
    ['an echo', { echo: true }],
    ['speech', { modalities: ['audio'] }],
  ])('is none with %s', (_title, body) => {
    expect(continuable(body)).toBe(false)
  })

  it('is none on another face', () => {
    expect(continuable({}, 'openai-embeddings')).toBe(false)
  })
})
