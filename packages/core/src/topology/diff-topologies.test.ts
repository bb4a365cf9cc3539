import { describe, expect, it } from 'vitest'
import { resolveText } from './catalogue.test.fixture.js'
import { diffTopologies } from './diff-topologies.js'

const sim = (extra: string) => `pools: {a: {models: [m], nodes: [{engine: sim, launch: {replicas: 2}}, {engine: ollama}]}${extra}}`

async function diff(before: string, after: string) {
  return diffTopologies(await resolveText(before), await resolveText(after))
}

describe('the difference of two topologies', () => {
  it('is nothing between equal ones', async () => {
    const result = await diff(sim(''), sim(''))
    expect(result).toMatchObject({ changed: false, gatewayChanged: false })
    expect(result.pools[0]?.kept.map(({ name }) => name)).toEqual(['sim', 'ollama'])
  })

  it('tells added and removed groups and pools', async () => {
    const result = await diff(
      sim(', b: {nodes: [{engine: vllm}]}'),
      'pools: {a: {models: [m], nodes: [{engine: ollama}, {engine: vllm}]}, c: {nodes: [{engine: vllm}]}}',
    )
    const names = result.pools.map(({ pool, added, removed, kept }) => [
      pool,
      ...[added, removed, kept].map((groups) => groups.map(({ name }) => name).join()),
    ])
    expect(names).toEqual([
      ['a', 'vllm', 'sim', 'ollama'],
      ['c', 'vllm', '', ''],
      ['b', '', 'vllm', ''],
    ])
  })

  it('keeps running nodes when only weight or replicas change, and replaces them when settings do', async () => {
    const scaled = await diff(sim(''), sim('').replace('replicas: 2', 'replicas: 4').replace('engine: ollama', 'engine: ollama, weight: 2'))
    expect(scaled.pools[0]?.changed.map(({ to, replace }) => [to.name, replace])).toEqual([
      ['sim', false],
      ['ollama', false],
    ])
    const reseeded = await diff(sim(''), sim('').replace('replicas: 2', 'replicas: 2, args: {seed: 1}'))
    expect(reseeded.pools[0]?.changed.map(({ to, replace }) => [to.name, replace])).toEqual([['sim', true]])
    const renamed = await diff(sim(''), sim('').replace('models: [m]', 'models: [k]'))
    expect(renamed.pools[0]).toMatchObject({ settingsChanged: true, kept: [] })
    expect(renamed.pools[0]?.changed.every(({ replace }) => replace)).toBe(true)
  })

  it('tells settings of a pool and of the gateway apart', async () => {
    const drained = await diff(sim(''), sim('').replace('models:', 'drain: 5s, models:'))
    expect(drained).toMatchObject({ changed: true, gatewayChanged: false, pools: [{ settingsChanged: true, changed: [] }] })
    for (const key of ['maxBody: 1MiB', 'workers: 2', 'trustedProxies: [10.0.0.1]', 'cors: {origins: "*"}', 'heartbeat: 0s'])
      expect(await diff(sim(''), `gateway: {${key}}\n${sim('')}`), key).toMatchObject({ changed: true, gatewayChanged: true })
  })
})
