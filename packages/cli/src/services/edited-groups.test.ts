import { defineTopology, resolveTopology, type Topology, type TopologyInput } from '@plimsoll/core'
import { describe, expect, it } from 'vitest'
import { editedGroups } from './edited-groups.js'

const node = (name: string, url: string): object => ({ name, engine: 'openai', attach: url })

async function topologyOf(more: object = {}, pool: object = {}, canLaunch = false): Promise<Topology> {
  const input = {
    name: 't',
    pools: {
      chat: { models: ['m'], nodes: [node('a', 'http://127.0.0.1:1'), node('b', 'http://127.0.0.1:2')], ...pool },
      embed: { models: ['e'], nodes: [node('c', 'http://127.0.0.1:3')] },
    },
    ...more,
  } as unknown as TopologyInput
  const engines = new Map([['openai', { settings: {}, canLaunch }]])
  const strategies = new Map([['adaptive', { settings: {} }]])
  return resolveTopology(defineTopology(input), { engines, strategies })
}

const told = (topology: Topology): Topology => JSON.parse(JSON.stringify(topology)) as Topology

describe('an edited topology', () => {
  it('gives the node groups of the pool that changed, and nothing else', async () => {
    const before = told(await topologyOf())
    const edited = await topologyOf({}, { nodes: [node('a', 'http://127.0.0.1:1'), node('b', 'http://127.0.0.1:9')] })
    const { groups, notices } = editedGroups('chat', edited, { declared: before, running: before })
    expect(groups.map(({ name, attach }) => [name, attach?.url])).toEqual([['b', 'http://127.0.0.1:9']])
    expect(notices).toEqual([])
  })

  it('is compared with what runs: a change that was rolled out before is none', async () => {
    const before = told(await topologyOf())
    const edited = await topologyOf({}, { nodes: [node('a', 'http://127.0.0.1:1'), node('b', 'http://127.0.0.1:9')] })
    const rolled = told(edited)
    const running = {
      ...rolled,
      pools: rolled.pools.map((pool) => ({
        ...pool,
        groups: pool.groups.map((group) => (group.name === 'b' ? { ...group, name: 'b-r2', revision: 'r2', revisionOf: 'b' } : group)),
      })),
    }
    expect(() => editedGroups('chat', edited, { declared: before, running })).toThrow(/are those that run/)
    expect(editedGroups('chat', await topologyOf(), { declared: before, running }).groups.map(({ name }) => name)).toEqual(['b'])
    // The other pool of the same file may have been rolled before.
    const other = await topologyOf({}, { nodes: [node('a', 'http://127.0.0.1:1'), node('b', 'http://127.0.0.1:9')] })
    expect(() => editedGroups('embed', other, { declared: before, running })).toThrow(/are those that run/)
    expect(() => editedGroups('embed', other, { declared: before, running: before })).toThrow(
      expect.objectContaining({ hint: 'changed is chat: lb rollout start chat --file' }) as Error,
    )
  })

  it('may change another pool too, which is said and has a rollout of its own', async () => {
    const before = told(await topologyOf())
    const nodes = [node('a', 'http://127.0.0.1:1'), node('b', 'http://127.0.0.1:9')]
    const embed = (name: string): object => ({ models: ['e'], nodes: [node(name, 'http://127.0.0.1:8')] })
    const edited = await topologyOf({ pools: { chat: { models: ['m'], nodes }, embed: embed('c') } })
    const { groups, notices } = editedGroups('chat', edited, { declared: before, running: before })
    expect(groups.map(({ name }) => name)).toEqual(['b'])
    expect(notices).toEqual(['pool embed of the file differs too, and stays as it is: lb rollout start embed --file brings it'])
    expect(() => editedGroups('caht', edited, { declared: before, running: before })).toThrow(
      expect.objectContaining({ hint: 'did you mean chat?   its pools are: chat, embed' }) as Error,
    )
  })

  it.each([
    ['the gateway', { gateway: { maxConnections: 7 } }, {}, 'gateway.maxConnections'],
    ['models', {}, { models: ['m', 'n'] }, 'models of pool chat'],
    [
      'a new group',
      {},
      { nodes: [node('a', 'http://127.0.0.1:1'), node('b', 'http://127.0.0.1:2'), node('z', 'http://127.0.0.1:4')] },
      'node group z is new',
    ],
    ['a group that goes', {}, { nodes: [node('a', 'http://127.0.0.1:5')] }, 'node group b is gone'],
    [
      'a new pool',
      { pools: { chat: { nodes: [node('a', 'http://127.0.0.1:1')] }, x: { nodes: [node('c', 'http://127.0.0.1:3')] } } },
      {},
      'pool x is new',
    ],
  ])('that changes %s too is refused, with what it is', async (_, more, pool, what) => {
    const before = told(await topologyOf())
    const edited = await topologyOf(more, pool)
    expect(() => editedGroups('chat', edited, { declared: before, running: before })).toThrow(what)
  })

  it('may name another port than the one that lb up --port gave', async () => {
    const before = told(await topologyOf())
    const edited = await topologyOf(
      { gateway: { listen: '127.0.0.1:9' } },
      { nodes: [node('a', 'http://127.0.0.1:7'), node('b', 'http://127.0.0.1:2')] },
    )
    const { notices } = editedGroups('chat', edited, { declared: before, running: before })
    expect(notices).toEqual([expect.stringContaining('gateway.listen')])
  })

  it('that differs in the number of nodes alone is sent to lb scale', async () => {
    const launched = async (replicas: number): Promise<Topology> =>
      topologyOf({}, { nodes: [{ name: 'a', engine: 'openai', launch: { replicas, command: ['serve', '$${PORT}'] } }] }, true)
    const before = told(await launched(2))
    const edited = await launched(3)
    expect(() => editedGroups('chat', edited, { declared: before, running: before })).toThrow(/only how many there are/)
  })

  it('without the pool, or without a change, is wrong input', async () => {
    const before = told(await topologyOf())
    expect(() => editedGroups('nope', before, { declared: before, running: before })).toThrow(/has no pool nope/)
    expect(() => editedGroups('chat', before, { declared: before, running: before })).toThrow(/are those that run/)
  })
})
