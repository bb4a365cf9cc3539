import { describe, expect, it } from 'vitest'
import type { Backend, KeptModel, ProbeReport } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { readNodeModels } from './node-models.js'

const node = { pool: 'chat', node: 'chat/a', engine: 'x', state: 'ready', asked: ['m'] } as const
const ready: ProbeReport = { verdict: 'ready', models: ['m', 'legal'] }

function backend(more: Partial<Backend>): Backend {
  return { minProbeIntervalMs: 1, dialect: openaiDialect(), probe: () => Promise.resolve(ready), ...more }
}

describe('what a node serves', () => {
  it('is the list of an engine that keeps models', async () => {
    const models: KeptModel[] = [{ name: 'm', loaded: false, sizeBytes: 5, contentHash: 'sha256:a' }]
    const kept = backend({ models: { list: () => Promise.resolve(models) }, probe: () => Promise.reject(new Error('never asked')) })
    expect(await readNodeModels(node, kept)).toEqual({ ...node, models, adapters: [], error: null })
  })

  it('is else what a probe sees, with context and adapters from its load', async () => {
    const facts = { contextTokens: 8192, adapters: ['legal'], loadedModels: ['m'] }
    expect(await readNodeModels(node, backend({ load: () => Promise.resolve(facts) }))).toEqual({
      ...node,
      models: [{ name: 'm', loaded: true, contextTokens: 8192 }],
      adapters: ['legal'],
      error: null,
    })
  })

  it('is not in memory while the engine sleeps', async () => {
    const seen = await readNodeModels(node, backend({ load: () => Promise.resolve({ asleep: true }) }))
    expect(seen.models.map(({ loaded }) => loaded)).toEqual([false, false])
  })

  it('is known without its load, where that fails', async () => {
    const seen = await readNodeModels(node, backend({ load: () => Promise.reject(new Error('no')) }))
    expect(seen).toMatchObject({ models: [{ name: 'm' }, { name: 'legal' }], error: null })
  })

  it.each([
    ['it does not run', undefined],
    ['loading weights', backend({ probe: () => Promise.resolve({ verdict: 'loading', reason: 'loading weights' }) })],
    ['refused', backend({ probe: () => Promise.reject(new Error('refused')) })],
  ])('is unknown, with the reason: %s', async (error, asked) => {
    expect(await readNodeModels(node, asked)).toEqual({ ...node, models: [], adapters: [], error })
  })
})
