import { engineContract } from '@plimsoll/testkit'
import { describe, it } from 'vitest'
import { plugin } from './index.js'
import { startRecordedServer } from './recorded-server.test.fixture.js'

describe('the contract, for llama-server', () => {
  const rules = engineContract(plugin, {
    weights: '/models/tiny.gguf',
    ready: () => startRecordedServer({ '/health': 'health-ready', '/v1/models': 'v1-models', '/props': 'props' }),
    loading: () => startRecordedServer({ '/health': 'health-loading', '/v1/models': 'v1-models-loading' }),
  })
  it.each(rules)('$title', ({ run }) => run())
})
