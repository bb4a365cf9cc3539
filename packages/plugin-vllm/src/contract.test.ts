import { engineContract, startScriptedServer } from '@plimsoll/testkit'
import { describe, it } from 'vitest'
import { plugin } from './index.js'

/** Shapes from vLLM's source at 5eaa70dac; not recorded from a running server. */
const models = JSON.stringify({ object: 'list', data: [{ id: 'org/model-a', object: 'model', owned_by: 'vllm', max_model_len: 8192 }] })

describe('the contract, for vLLM', () => {
  const rules = engineContract(plugin, {
    weights: 'org/model-a',
    models: ['org/model-a'],
    ready: () => startScriptedServer({ '/health': [200, ''], '/v1/models': [200, models], '/version': [200, '{"version":"0.21.0"}'] }),
    loading: () => startScriptedServer({ '/health': [503, '{"error":"The model is currently scaling. Please try again later."}'] }),
    sick: () => startScriptedServer({ '/health': [503, ''] }),
  })
  it.each(rules)('$title', ({ run }) => run())
})
