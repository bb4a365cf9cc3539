import { openaiDialect } from '@plimsoll/core/plugin'
import type { Backend, GroupPlan, PoolPlan } from '@plimsoll/core'
import { describe, expect, it } from 'vitest'
import type { ModelNode } from './model-nodes.js'
import { pullWishes } from './pull-wishes.js'

const plain: Backend = { minProbeIntervalMs: 1, dialect: openaiDialect(), probe: () => Promise.resolve({ verdict: 'ready' }) }
const keeping: Backend = { ...plain, models: { pull: () => Promise.resolve({}) } }

function nodeOf(
  id: string,
  more: Partial<ModelNode> & { readonly launch?: object; readonly model?: string; readonly models?: readonly string[] },
): ModelNode {
  const { launch, model, models = ['m'], ...rest } = more
  const group = {
    name: 'g',
    engine: 'x',
    weight: 1,
    ...(model === undefined ? {} : { model }),
    ...(launch === undefined ? {} : { launch: { replicas: 1, settings: {}, env: {}, ...launch } }),
  } as unknown as GroupPlan
  return {
    id,
    pool: { name: 'p', models } as unknown as PoolPlan,
    group,
    state: null,
    url: undefined,
    backend: plain,
    fault: undefined,
    ...rest,
  }
}

const wish = (nodes: readonly ModelNode[], model?: string, isChosen = false) => {
  const { wishes, skipped } = pullWishes(nodes, { model, isChosen, env: {} })
  return { wishes: wishes.map(({ model, nodes, from }) => [from, model, nodes]), skipped: skipped.map(({ node, why }) => [node, why]) }
}

describe('what is to be fetched', () => {
  it('comes once for all nodes that share a cache, and again where it is another', () => {
    const nodes = [
      nodeOf('p/a', { launch: { model: 'o/m' } }),
      nodeOf('p/b', { launch: { model: 'o/m' } }),
      nodeOf('p/c', { launch: { model: 'o/m', env: { HF_HOME: '/other' } } }),
      nodeOf('p/d', { launch: { model: 'o/m', settings: { revision: 'v1' } } }),
    ]
    expect(wish(nodes).wishes).toEqual([
      ['hub', 'o/m', ['p/a', 'p/b']],
      ['hub', 'o/m', ['p/c']],
      ['hub', 'o/m', ['p/d']],
    ])
  })

  it('is asked once of each server that keeps its own', () => {
    const url = 'http://h:1'
    const nodes = [
      nodeOf('p/a', { backend: keeping, url }),
      nodeOf('q/b', { backend: keeping, url, model: 'm' }),
      nodeOf('p/c', { backend: keeping }),
    ]
    expect(wish(nodes)).toEqual({
      wishes: [['engine', 'm', ['p/a', 'q/b']]],
      skipped: [['p/c', 'it does not run; lb up has it fetch what is missing']],
    })
  })

  it('leaves alone, with the reason, what cannot be fetched from here', () => {
    const nodes = [
      nodeOf('p/a', { url: 'http://h:1' }),
      nodeOf('p/b', { launch: { model: '/models/m.gguf' } }),
      nodeOf('p/c', { backend: undefined, fault: 'no key' }),
    ]
    expect(wish(nodes).skipped).toEqual([
      ['p/a', 'its server was attached; whoever runs it fetches its models'],
      ['p/b', '`/models/m.gguf` is no model of a hub'],
      ['p/c', 'no key'],
    ])
  })

  it('is for the nodes that use the model, when only a model is named', () => {
    const nodes = [
      nodeOf('p/a', { backend: keeping, url: 'http://h:1', models: ['small'] }),
      nodeOf('p/b', { backend: keeping, url: 'http://h:2', models: ['Small:latest'] }),
      nodeOf('p/c', { backend: keeping, url: 'http://h:3', models: ['big'] }),
    ]
    expect(wish(nodes, 'small').wishes.map(([, , ids]) => ids)).toEqual([['p/a'], ['p/b']])
  })

  it('that nobody uses goes to every server that keeps its own, or is looked for at a hub', () => {
    const nodes = [nodeOf('p/a', { backend: keeping, url: 'http://h:1' }), nodeOf('p/b', { launch: { model: 'o/other' } })]
    expect(wish(nodes, 'new:4b').wishes).toEqual([['engine', 'new:4b', ['p/a']]])
    expect(wish(nodes, 'o/new').wishes).toEqual([['hub', 'o/new', []]])
    expect(wish(nodes, 'o/new', true).wishes).toEqual([
      ['engine', 'o/new', ['p/a']],
      ['hub', 'o/new', ['p/b']],
    ])
  })
})
