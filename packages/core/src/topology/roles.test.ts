import { describe, expect, it } from 'vitest'
import { errorsOf, resolveText } from './catalogue.test.fixture.js'
import { renderTopology } from './render-topology.js'

const nodes = (first: string, second: string): string =>
  `[{ name: a, engine: sim, launch: {}${first} }, { name: b, engine: sim, launch: {}${second} }]`
const text = `pools: { chat: { handover: { minPromptTokens: 256, orServe: false }, nodes: ${nodes(', role: prefill', ', role: decode')} } }`

describe('roles of node groups', () => {
  it('part a pool in two, with what the handover says', async () => {
    const [pool] = (await resolveText(text)).pools
    expect(pool?.groups.map(({ role }) => role)).toEqual(['prefill', 'decode'])
    expect(pool?.handover).toEqual({ minPromptTokens: 256, orServe: false })
  })

  it('have defaults, and mean nothing where no group has one', async () => {
    const [parted] = (await resolveText(`pools: { chat: { nodes: ${nodes(', role: prefill', ', role: decode')} } }`)).pools
    expect(parted?.handover).toEqual({ minPromptTokens: 0, orServe: true })
    const [plain] = (await resolveText(`pools: { chat: { handover: {}, nodes: ${nodes('', '')} } }`)).pools
    expect(plain?.handover).toBeUndefined()
  })

  it('resolve to themselves as lb config prints them', async () => {
    const topology = await resolveText(text)
    expect(await resolveText(await renderTopology(topology))).toEqual(topology)
  })

  it.each([
    [nodes(', role: prefill', ''), /pool chat: a node group has the role prefill, and none has decode/],
    [nodes('', ', role: decode'), /pool chat: a node group has the role decode, and none has prefill/],
    [nodes(', role: both', ''), /`?both`?|prefill, decode/],
  ])('are refused where one half is missing or unknown: %s', async (list, message) => {
    const errors = await errorsOf(resolveText(`pools: { chat: { nodes: ${list} } }`))
    expect(errors.render()).toMatch(message)
  })
})
