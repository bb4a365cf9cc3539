import { engineContract, startScriptedServer } from '@plimsoll/testkit'
import { describe, it } from 'vitest'
import { plugin } from './index.js'

/** Shapes from Ollama's source at fb307609; not recorded from a running server. */
const tags = JSON.stringify({
  models: [{ name: 'llama3.2:latest', model: 'llama3.2:latest', modified_at: '2026-08-01T00:00:00Z', size: 1, digest: 'd', details: {} }],
})

describe('the contract, for Ollama', () => {
  const rules = engineContract(plugin, {
    models: ['llama3.2'],
    spec: { model: 'llama3.2' },
    ready: () =>
      startScriptedServer({ '/api/version': [200, '{"version":"0.33.0"}'], '/api/tags': [200, tags], '/api/ps': [200, '{"models":[]}'] }),
    sick: () => startScriptedServer({ '/api/version': [200, '{"version":"0.33.0"}'], '/api/tags': [500, '{"error":"x"}'] }),
  })
  it.each(rules)('$title', ({ run }) => run())
})
