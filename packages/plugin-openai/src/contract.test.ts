import { engineContract, startScriptedServer } from '@plimsoll/testkit'
import { describe, it } from 'vitest'
import { plugin } from './index.js'

const list = JSON.stringify({ object: 'list', data: [{ id: 'gpt-4o-mini', object: 'model', created: 1, owned_by: 'system' }] })

describe('the contract, for any OpenAI-compatible server', () => {
  const rules = engineContract(plugin, {
    ready: () => startScriptedServer({ '/v1/models': [200, list] }),
    loading: () => startScriptedServer({ '/v1/models': [503, '{"error":{"message":"Loading model"}}'] }),
    sick: () => startScriptedServer({ '/v1/models': [401, '{"error":{"message":"Incorrect API key"}}'] }),
  })
  it.each(rules)('$title', ({ run }) => run())
})
