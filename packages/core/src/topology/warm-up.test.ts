import { describe, expect, it } from 'vitest'
import { errorsOf, resolveText } from './catalogue.test.fixture.js'
import { diffTopologies } from './diff-topologies.js'
import { renderTopology } from './render-topology.js'

const text = (launched = '', attached = ''): string =>
  `pools: { chat: { nodes: [{ name: a, engine: sim, launch: {}${launched} }, { name: b, engine: ollama, attach: http://there:1234${attached} }] } }`

async function warmUps(text: string): Promise<unknown[]> {
  return (await resolveText(text)).pools.flatMap(({ groups }) => groups.map(({ warmUp }) => warmUp))
}

const byDefault = { prompts: 16, withinMs: 10_000 }

describe('the warm-up of a node group', () => {
  it('is on for what lb launches and off for what somebody else runs, unless the group says otherwise', async () => {
    expect(await warmUps(text())).toEqual([byDefault, undefined])
    expect(await warmUps(text(', warmUp: false', ', warmUp: true'))).toEqual([undefined, byDefault])
    expect(await warmUps(text(', warmUp: {}', ', warmUp: { prompts: 4 }'))).toEqual([byDefault, { prompts: 4, withinMs: 10_000 }])
    expect(await warmUps(text(', warmUp: { prompts: 2, within: 1500ms }'))).toEqual([{ prompts: 2, withinMs: 1_500 }, undefined])
  })

  it.each([text(), text(', warmUp: false', ', warmUp: true'), text(', warmUp: { prompts: 3, within: 2m }')])(
    'resolves to itself as lb config prints it: %s',
    async (declared) => {
      const topology = await resolveText(declared)
      expect(await resolveText(await renderTopology(topology))).toEqual(topology)
    },
  )

  it('changes under running nodes', async () => {
    const { pools } = diffTopologies(await resolveText(text()), await resolveText(text(', warmUp: false')))
    expect(pools[0]?.changed.map(({ to, replace }) => [to.name, replace])).toEqual([['a', false]])
  })

  it.each([
    [', warmUp: yes-please', /warmUp|true, false/],
    [', warmUp: { prompts: 17 }', /from 1 to 16/],
    [', warmUp: { within: soon }', /a duration such as/],
    [', warmUp: { prompt: 3 }', /prompts/],
  ])('is refused with the place where it is wrong: %s', async (wrong, message) => {
    expect((await errorsOf(resolveText(text(wrong)))).render()).toMatch(message)
  })
})
