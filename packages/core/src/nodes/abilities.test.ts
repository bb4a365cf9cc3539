import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { Backend } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { nodePlan } from './fleet.test.fixture.js'
import { Node } from './node.js'
import { buildRoster } from './roster-view.js'

let told: number
let node: Node

function begin(strictModels?: boolean): void {
  const backend: Backend = {
    probe: () => Promise.resolve({ verdict: 'ready' }),
    minProbeIntervalMs: 1,
    dialect: openaiDialect(),
    ...(strictModels === undefined ? {} : { strictModels }),
  }
  const target = { host: '127.0.0.1', port: 1, tls: false, basePath: '', authority: '127.0.0.1:1' }
  node.setEndpoint({ url: 'http://127.0.0.1:1', target, backend, authHeaders: {}, mark: 'm' })
}

const seen = () => buildRoster(1, [node]).nodes[0]

beforeEach(() => {
  told = 0
  node = new Node(
    0,
    nodePlan(),
    new FakeClock(),
    () => undefined,
    () => void (told += 1),
  )
})

describe('what a node can do', () => {
  it('is known to the data path: models and adapters of an engine that refuses others, context, distance', () => {
    begin(true)
    node.learn({ verdict: 'ready', models: ['base'] })
    node.learnLoad({ contextTokens: 8_192, adapters: ['law', 'base'] })
    node.learnRoundTrip(60)
    expect(seen()).toMatchObject({ serves: ['base', 'law'], contextTokens: 8_192, roundTripMs: 30 })
  })

  it('says nothing of names where the engine takes any', () => {
    begin()
    node.learn({ verdict: 'ready', models: ['a-file.gguf'] })
    expect(seen()?.serves).toBeUndefined()
  })

  it('is told once for each change, and not again with each probe', () => {
    begin(true)
    for (let index = 0; index < 5; index += 1) {
      node.learn({ verdict: 'ready', models: ['base'] })
      node.learnLoad({ contextTokens: 8_192, running: index })
      node.learnRoundTrip(60)
    }
    expect(told).toBe(3)
  })

  it('is forgotten with the life of its process', () => {
    begin(true)
    node.learn({ verdict: 'ready', models: ['base'] })
    node.learnLoad({ contextTokens: 8_192 })
    begin(true)
    expect(seen()).not.toHaveProperty('serves')
    expect(seen()).not.toHaveProperty('contextTokens')
  })
})
