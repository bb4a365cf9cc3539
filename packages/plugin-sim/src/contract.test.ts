import { engineContract } from '@plimsoll/testkit'
import { describe, it } from 'vitest'
import { plugin } from './index.js'
import { SimClient } from './testing/sim-client.js'

const started = async (options: Parameters<typeof SimClient.start>[0]) => {
  const sim = await SimClient.start(options)
  return { url: sim.server.url, close: () => sim[Symbol.asyncDispose]() }
}

describe('the contract, for the simulated engine', () => {
  const rules = engineContract(plugin, {
    models: ['sim-8b'],
    ready: () => started({}),
    loading: () => started({ fault: 'hang-on-load' }),
  })
  it.each(rules)('$title', ({ run }) => run())
})
