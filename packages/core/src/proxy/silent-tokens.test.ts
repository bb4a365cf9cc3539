import { describe, expect, it } from 'vitest'
import { scanRequest } from '../dialects/index.js'
import { silentTokens } from './silent-tokens.js'

const of = (body: object, outputTokens = 100) =>
  silentTokens(scanRequest('openai-chat', Buffer.from(JSON.stringify({ model: 'm', ...body }))), {
    face: 'openai-chat',
    bodyBytes: 100,
    outputTokens,
  })

describe('the longest answer that may come without a word', () => {
  it('is nothing for a stream, whose tokens are told one by one', () => {
    expect(of({ stream: true, max_tokens: 500 })).toBe(0)
  })

  it('is what the client allows, or a generous multiple of what its answers were', () => {
    expect(of({ max_tokens: 500 })).toBe(500)
    expect(of({})).toBe(1024)
    expect(of({}, 2000)).toBe(8000)
  })

  it.each(['tools', 'functions', 'response_format'])('counts a stream with %s: engines may hold it back until it is whole', (name) => {
    expect(of({ stream: true, max_tokens: 300, [name]: [] })).toBe(300)
  })

  it('is nothing beyond the prompt for embeddings, and the length of the sound for speech', () => {
    const scan = scanRequest('openai-embeddings', Buffer.from('{"model":"m","input":"x"}'))
    expect(silentTokens(scan, { face: 'openai-embeddings', bodyBytes: 1e6, outputTokens: 0 })).toBe(0)
    expect(silentTokens(scan, { face: 'openai-transcriptions', bodyBytes: 7e6, outputTokens: 50 })).toBe(10_000)
  })
})
