import { describe, expect, it } from 'vitest'
import { errorsOf, resolveText } from './catalogue.test.fixture.js'
import { withMembers } from './members.js'
import { renderTopology } from './render-topology.js'

const text = `gateway: { zone: eu-1, traceShare: 0.5 }
hosts: { far: { ssh: me@10.0.0.7, zone: us-1 } }
pools:
  chat:
    sessionHeader: X-Conversation
    requireLabels: { gpu: h100, x-note: 'no label' }
    line: { max: 5, longest: 2s }
    nodes:
      - { name: here, engine: sim, launch: {} }
      - { name: there, engine: sim, launch: {}, ssh: far }
      - { name: told, engine: sim, launch: {}, ssh: far, zone: us-2 }
      - { name: given, engine: sim, attach: 'http://127.0.0.1:9', labels: { gpu: h100 }, price: { prompt: 0.5, output: 1.5 } }
      - { name: named, engine: sim, attach: 'file:servers.yaml', labels: { gpu: a100, team: a } }
`

describe('zones, labels and prices', () => {
  it('are those of the group, else of its host, else of the gateway for what runs beside it', async () => {
    const { gateway, pools } = await resolveText(text)
    expect(gateway).toMatchObject({ zone: 'eu-1', traceShare: 0.5 })
    const [pool] = pools
    expect(pool).toMatchObject({
      sessionHeader: 'x-conversation',
      requireLabels: { gpu: 'h100' },
      line: { max: 5, longestMs: 2_000 },
    })
    expect(pool?.groups.map(({ zone }) => zone)).toEqual(['eu-1', 'us-1', 'us-2', undefined, undefined])
    expect(pool?.groups[3]).toMatchObject({ labels: { gpu: 'h100' }, price: { promptPerMillion: 0.5, outputPerMillion: 1.5 } })
  })

  it('resolve to themselves as lb config prints them', async () => {
    const topology = await resolveText(text)
    expect(await resolveText(await renderTopology(topology))).toEqual(topology)
  })

  it('of a member of a source are what the source says, then what the group says', async () => {
    const topology = await resolveText(text)
    const member = { name: 'm', url: 'http://127.0.0.1:8', weight: 1, rank: 0, labels: { gpu: 'h100', zone: 'z9' } }
    const group = withMembers(topology, new Map([['chat/named', [member]]])).pools[0]?.groups.at(-1)
    expect(group).toMatchObject({ labels: { gpu: 'h100', team: 'a', zone: 'z9' }, zone: 'z9' })
  })

  it.each([
    ['gateway: { traceShare: 2 }', /traceShare/],
    ['gateway: { zone: "" }', /zone/],
  ])('are refused where they cannot be: %s', async (line, message) => {
    const errors = await errorsOf(resolveText(`${line}\npools: { chat: { nodes: [ { engine: ollama } ] } }`))
    expect(JSON.stringify(errors)).toMatch(message)
  })
})
