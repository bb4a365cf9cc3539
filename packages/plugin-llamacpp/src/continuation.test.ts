import { describe, expect, it } from 'vitest'
import { continuation } from './continuation.js'

/** As b10568 answered to `logprobs: true, top_logprobs: 1`. */
const recorded = {
  content: [
    {
      id: 338,
      token: 'vi',
      bytes: [118, 105],
      logprob: -3.136178493499756,
      top_logprobs: [{ id: 338, token: 'vi', bytes: [118, 105], logprob: -3.136178493499756 }],
    },
  ],
}

describe('how a begun stream of llama-server is gone on with', () => {
  it('is by text: it says the given text of a chat once more, and that of a completion not', () => {
    expect(continuation.text).toEqual({ 'openai-chat': { echoes: true }, 'openai-completions': {} })
  })

  it('is by ids: they stand among the probabilities, with the bytes of each', () => {
    expect(continuation.exact?.['openai-chat']?.tokensOf(recorded)).toEqual({ ids: [338], bytes: 2 })
  })

  it.each([[null], [undefined], [{}], [{ content: 'x' }], [{ content: [{ id: 'x', bytes: [] }] }], [{ content: [{ id: 1 }] }]])(
    'knows no ids in %j',
    (value) => {
      expect(continuation.exact?.['openai-completions']?.tokensOf(value)).toBeUndefined()
    },
  )
})
