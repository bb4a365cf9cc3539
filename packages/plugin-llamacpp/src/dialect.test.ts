import { describe, expect, it } from 'vitest'
import type { NodeSpec } from '@plimsoll/core/plugin'
import { llamacppDialect } from './dialect.js'
import { recorded } from './recorded-server.test.fixture.js'

const specOf = (url: string): NodeSpec => ({ id: 'chat/laptop', url, models: ['m'], settings: {} })
const dialect = llamacppDialect(specOf('http://127.0.0.1:8080'))
const error = (status: number, message: string) =>
  [status, {}, JSON.stringify({ error: { code: status, message, type: 'server_error' } })] as const

describe('what refusals of llama-server mean, as recorded', () => {
  it.each([
    ['chat-loading', 503, 'loading'],
    ['slots-saturated-fail-on-no-slot', 503, 'retry'],
    ['apikey-none-chat', 401, 'retry'],
    ['router-no-autoload', 400, 'retry'],
    ['error-bad-json', 500, 'client'],
    ['error-bad-type', 400, 'client'],
    ['error-missing-messages', 400, 'client'],
    ['error-prompt-too-long', 400, 'client'],
    ['error-prompt-too-long-stream', 400, 'client'],
    ['n4-on-2-slots', 400, 'client'],
    ['router-chat-unknown-model', 400, 'client'],
    ['router-chat-no-model-field', 400, 'client'],
    ['tools-disabled', 403, 'client'],
    ['not-found-path', 404, 'client'],
    ['wrong-method', 404, 'client'],
    ['embeddings-not-enabled', 501, 'client'],
    ['rerank-not-enabled', 501, 'client'],
    ['chat-nonstream', 200, 'ok'],
  ])('%s (%i): %s', (name, status, verdict) => {
    const answer = recorded(name)
    expect(answer.status).toBe(status)
    expect(dialect.classify(answer.status, {}, answer.body.slice(0, 2048))).toBe(verdict)
  })

  it('a 500 goes to another node only where its text blames this one', () => {
    expect(dialect.classify(...error(500, 'Context size has been exceeded.'))).toBe('retry')
    expect(dialect.classify(...error(500, 'Compute error.'))).toBe('retry')
    expect(dialect.classify(...error(500, 'The model produced output that does not match the expected Content-only format'))).toBe('client')
    expect(dialect.classify(500, {}, '')).toBe('client')
  })
})

describe('how streams of llama-server end, as recorded', () => {
  it.each([
    ['chat-stream', 'complete'],
    ['chat-stream-usage', 'complete'],
    ['completions-stream-usage', 'complete'],
    ['completion-native-stream', 'complete'],
    ['saturated-stream-0', 'error'],
    ['kill9-midstream-client-view', 'cut'],
    ['sigterm-stream-client-view', 'cut'],
    ['sigterm-twice-stream-client-view', 'cut'],
    ['router-unload-with-stream-client-view', 'cut'],
  ])('%s: %s', (name, verdict) => {
    const { events } = recorded(name)
    expect(events).toContain('data: ')
    expect(dialect.streamEnd(events.slice(-4096))).toBe(verdict)
  })

  it('the error line of old builds is an error', () => {
    expect(dialect.streamEnd('data: {"choices":[]}\n\nerror: {"code":500,"message":"x","type":"server_error"}\n\n')).toBe('error')
  })

  it('a text about the end is not the end', () => {
    expect(dialect.streamEnd('data: {"choices":[{"delta":{"content":"\\"stop_type\\":\\"eos\\" data: [DONE]"}}]}\n\n')).toBe('cut')
  })
})

describe('requests to llama-server', () => {
  it('carry neither the header that makes a stream outlive its client nor a key of the client', () => {
    expect(dialect.headers.strip).toEqual(['x-conversation-id', 'x-api-key'])
  })

  it('go to /v1 below the server, also where the URL has it already', () => {
    expect(dialect.paths['openai-chat']).toBe('/v1/chat/completions')
    expect(llamacppDialect(specOf('http://127.0.0.1:8080/v1')).paths['openai-chat']).toBe('/chat/completions')
  })

  it('of speech are not for it', () => {
    expect(dialect.paths['openai-transcriptions']).toBeUndefined()
  })
})
