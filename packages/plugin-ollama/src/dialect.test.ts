import { describe, expect, it } from 'vitest'
import { ollamaDialect } from './dialect.js'
import { openAiError } from './scripted-ollama.test.fixture.js'

const dialect = ollamaDialect('http://127.0.0.1:11434')
const api = (message: string) => openAiError(message, 'api_error')

describe('what answers of Ollama mean', () => {
  it.each([
    ['retry', 404, openAiError("model 'x' not found", 'not_found_error')],
    ['retry', 404, '{"error":"model \\"x\\" not found, try pulling it first"}'],
    ['retry', 404, '404 page not found'],
    ['client', 400, openAiError('"x" does not support chat', 'invalid_request_error')],
    ['client', 400, openAiError('invalid character', 'invalid_request_error')],
    ['retry', 401, api('unauthorized')],
    ['retry', 403, ''],
    ['retry', 403, api('ollama cloud is disabled: remote model details are unavailable')],
    ['retry', 499, api('request canceled')],
    ['death', 500, api('llama-server process has terminated: exit status 2')],
    ['cooldown', 500, api('model requires more system memory (9.1 GiB) than is available (3.0 GiB)')],
    ['retry', 500, api('timed out waiting for llama-server to start')],
    ['client', 500, api('something else')],
    ['cooldown', 503, api('server busy, please try again.  maximum pending requests exceeded')],
    ['retry', 503, ''],
    ['ok', 200, ''],
  ])('%s at %i %s', (meaning, status, body) => {
    expect(dialect.classify(status, {}, body)).toBe(meaning)
  })

  it('serves each OpenAI face that Ollama has, also where the URL ends in /v1', () => {
    expect(dialect.paths['openai-chat']).toBe('/v1/chat/completions')
    expect(ollamaDialect('http://h:1/v1').paths['openai-transcriptions']).toBe('/audio/transcriptions')
  })
})

describe('the end of a stream', () => {
  const content = 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'
  const empty = 'data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'

  it('is complete with [DONE] only: a failure is an empty chunk, and then nothing', () => {
    expect(dialect.streamEnd(`${content}${empty}`)).toBe('cut')
    expect(dialect.streamEnd(`${content}data: [DONE]\n\n`)).toBe('complete')
  })
})
