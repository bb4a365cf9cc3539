import { describe, expect, it } from 'vitest'
import { vllmDialect } from './dialect.js'

const dialect = vllmDialect('http://gpu:8000')
const error = (message: string, type: string, code: number) => JSON.stringify({ error: { message, type, param: null, code } })
const chunk = (reason: string | null) =>
  `data: {"choices":[{"index":0,"delta":{},"finish_reason":${JSON.stringify(reason)}}]}\n\ndata: [DONE]\n\n`

describe('what an answer of vLLM means', () => {
  const tooLong =
    "This model's maximum context length is 8192 tokens. However, you requested 100 output tokens and your prompt contains 9000 input tokens, for a total of 9100 tokens. Please reduce the length of the input prompt or the number of requested output tokens."
  it.each([
    ['a prompt that is too long', 400, error(tooLong, 'BadRequestError', 400), 'client'],
    ['a schema error', 400, error('1 validation error: ...', 'Bad Request', 400), 'client'],
    ['a model without chat', 501, error('The model does not support Chat Completions API', 'NotImplementedError', 501), 'client'],
    ['an unprocessable entity', 422, error('x', 'UnprocessableEntityError', 422), 'client'],
    ['a model that another node may have', 404, error('The model `sql` does not exist.', 'NotFoundError', 404), 'retry'],
    ['a path that is not there', 404, '{"detail":"Not Found"}', 'client'],
    ['a wrong key of ours', 401, '{"error":"Unauthorized"}', 'retry'],
    ['scaling', 503, '{"error":"The model is currently scaling. Please try again later."}', 'cooldown'],
    [
      'a full queue (0.33)',
      503,
      error(
        'The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.',
        'Service Unavailable',
        503,
      ),
      'cooldown',
    ],
    [
      'a full backlog (0.33)',
      503,
      error('The engine has reached its prefill token backlog limit. Please try again later', 'Service Unavailable', 503),
      'cooldown',
    ],
    ['a rank that has been retired', 503, '{"error":"This data-parallel rank has been retired and is awaiting shutdown."}', 'retry'],
    ['a dead engine (0.33)', 500, error('The server had an error while processing your request.', 'InternalServerError', 500), 'death'],
    // Recorded from a vLLM 0.32.0 that was told to stop.
    ['a server on its way out', 500, error('cannot schedule new futures after shutdown', 'InternalServerError', 500), 'death'],
    ['a request that failed', 500, error('list index out of range', 'InternalServerError', 500), 'client'],
    [
      'a dead engine',
      500,
      error('EngineCore encountered an issue. See stack trace (above) for the root cause.', 'InternalServerError', 500),
      'death',
    ],
    ['an answer', 200, '', 'ok'],
  ])('%s', (_name, status, body, meaning) => {
    expect(dialect.classify(status, {}, body)).toBe(meaning)
  })
})

describe('the end of a stream of vLLM', () => {
  it('is no success when a shutdown made it, in good form', () => {
    expect(dialect.streamEnd(chunk('abort'))).toBe('error')
    expect(dialect.streamEnd(chunk('error'))).toBe('error')
    expect(dialect.streamEnd(chunk('stop'))).toBe('complete')
    expect(dialect.streamEnd('data: {"choices":[]}\n\n')).toBe('cut')
  })

  it('is no success after an error, for all the [DONE] behind it', () => {
    expect(dialect.streamEnd('data: {"error":{"message":"EngineDeadError","code":500}}\n\ndata: [DONE]\n\n')).toBe('error')
    expect(dialect.streamEnd('data: {"error": "scaling"}\n\ndata: [DONE]\n\n')).toBe('error')
  })

  it('is not read out of a text that quotes one', () => {
    expect(dialect.streamEnd(`data: {"choices":[{"delta":{"content":"\\"finish_reason\\": \\"abort\\""}}]}\n\ndata: [DONE]\n\n`)).toBe(
      'complete',
    )
  })
})

describe('an answer from an engine that drains', () => {
  const plain = (content: string, reason: string, tokens: number) =>
    JSON.stringify({
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: reason }],
      usage: { prompt_tokens: 5, completion_tokens: tokens },
    })

  it('is none when it is empty', () => {
    expect(dialect.isUnserved!(plain('', 'abort', 0))).toBe(true)
    expect(dialect.isUnserved!(chunk('abort'))).toBe(true)
  })

  it('is one when it brings some text, or is short of its own will', () => {
    expect(dialect.isUnserved!(plain('half a', 'abort', 2))).toBe(false)
    expect(dialect.isUnserved!(plain('', 'stop', 0))).toBe(false)
  })
})

describe('headers that a client cannot mean', () => {
  it('do not reach the engine', () => {
    expect(dialect.headers.strip).toEqual(['x-data-parallel-rank', 'x-vllm-priority'])
    expect(vllmDialect('http://gpu:8000', true).headers.strip).toEqual(['x-data-parallel-rank'])
  })
})

describe('a prompt that another vLLM computed', () => {
  it('is asked for as the NixlConnector wants it, for chats and completions', () => {
    expect(dialect.handover).toMatchObject({ field: 'kv_transfer_params', faces: ['openai-chat', 'openai-completions'] })
    expect(JSON.parse(dialect.handover?.ask ?? '')).toEqual({
      do_remote_decode: true,
      do_remote_prefill: false,
      remote_engine_id: null,
      remote_block_ids: null,
      remote_host: null,
      remote_port: null,
    })
  })
})

describe('how a begun stream of vLLM is gone on with', () => {
  const { continuation } = vllmDialect('http://127.0.0.1:8000')

  it('is by text: the last message is left open, and no new one begun', () => {
    const set = { continue_final_message: 'true', add_generation_prompt: 'false' }
    expect(continuation?.text).toEqual({ 'openai-chat': { set }, 'openai-completions': {} })
  })

  it('is by ids, which come with each choice, those of the prompt with the first event', () => {
    const chat = continuation?.exact?.['openai-chat']
    expect(chat).toMatchObject({ ask: { return_token_ids: 'true' }, field: 'token_ids', promptField: 'prompt_token_ids', needsLimit: true })
    expect([chat?.tokensOf([1, 2]), chat?.tokensOf(null)]).toEqual([{ ids: [1, 2] }, undefined])
  })
})
