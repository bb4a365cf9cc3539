import { describe, expect, it } from 'vitest'
import { errorsOf, resolveText } from './catalogue.test.fixture.js'
import { renderTopology } from './render-topology.js'

const withLaunch = (launch: string) => `pools: {a: {nodes: [{engine: sim, launch: {${launch}}}]}}`
const wishOf = async (gpus: string, replicas = 1) =>
  (await resolveText(withLaunch(`replicas: ${replicas}, gpus: ${gpus}`))).pools[0]?.groups[0]?.launch?.gpus

describe('launch.gpus', () => {
  it('is absent where nothing is said, so that an engine sees all', async () => {
    expect((await resolveText(withLaunch(''))).pools[0]?.groups[0]?.launch).not.toHaveProperty('gpus')
  })

  it.each([
    ['none', 1, { kind: 'none' }],
    ['[[0], [1]]', 2, { kind: 'listed', lists: [[0], [1]], share: false }],
    ['[[0, GPU-8932f937], [0]]', 2, { kind: 'listed', lists: [[0, 'GPU-8932f937'], [0]], share: true }],
    ['{}', 1, { kind: 'counted', perReplica: 1, share: false }],
    ['{ perReplica: 2, from: [0, 1, 2, 3] }', 2, { kind: 'counted', perReplica: 2, from: [0, 1, 2, 3], share: false }],
    ['{ from: [0], needMiB: 9000, share: true }', 2, { kind: 'counted', perReplica: 1, from: [0], needMiB: 9000, share: true }],
  ])('%s', async (text, replicas, wish) => {
    expect(await wishOf(text, replicas)).toEqual(wish)
  })

  it.each(['none', '[[0]]', '{ perReplica: 2, from: [0, 1, MIG-c6d4f1ef], needMiB: 9000 }'])(
    '%s comes through lb config unchanged',
    async (text) => {
      const topology = await resolveText(withLaunch(`gpus: ${text}`))
      const again = await resolveText(await renderTopology(topology))
      expect(again.pools).toEqual(topology.pools)
    },
  )

  it.each([
    ['gpus: all', 'gpus cannot be a text'],
    ['gpus: 1', 'gpus cannot be a number'],
    ['gpus: [0, 1]', 'gpus[0] cannot be a number'],
    ['gpus: [[]]', 'gpus[0] is empty'],
    ['gpus: [[-1]]', '[0][0]'],
    ['gpus: { perReplica: 0 }', 'perReplica cannot be `0`'],
    ['gpus: { perReplicas: 2 }', '`perReplicas` is not a key of gpus'],
    ['replicas: 2, gpus: [[0]]', 'gpus holds 1 list, and there are 2 replicas'],
    ['gpus: [[0, 0]]', 'one GPU is named twice in a list'],
    ['replicas: 2, gpus: { perReplica: 2, from: [0, 1, 2] }', '2 replicas with 2 each: 4 GPUs, and from names 3'],
    ['gpus: none, env: { CUDA_VISIBLE_DEVICES: "0" }', 'CUDA_VISIBLE_DEVICES cannot stand beside gpus, which sets it'],
  ])('%s is refused with its place', async (launch, message) => {
    expect((await errorsOf(resolveText(withLaunch(launch)))).message).toContain(message)
  })
})
