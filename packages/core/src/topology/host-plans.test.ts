import { describe, expect, it } from 'vitest'
import { errorsOf, resolveText } from './catalogue.test.fixture.js'
import { renderTopology } from './render-topology.js'

const withNode = (node: string, hosts = '{ box: { ssh: "me@10.0.0.7:2222", venv: /opt/env, models: /srv/models } }'): string =>
  `hosts: ${hosts}\npools: { chat: { nodes: [${node}] } }\n`

describe('a node group on another machine', () => {
  it('knows the machine with its folders, and resolves to itself as printed', async () => {
    const topology = await resolveText(
      withNode('{ engine: sim, ssh: box, launch: { model: ./m.gguf } }, { engine: sim, ssh: "you@far", launch: { venv: /env } }'),
    )
    const [declared, literal] = topology.pools[0]?.groups ?? []
    expect(declared).toMatchObject({
      host: { name: 'box', ssh: { host: '10.0.0.7', user: 'me', port: 2222 }, venv: '/opt/env', modelDir: '/srv/models' },
      launch: { model: '/srv/models/m.gguf', venv: '/opt/env' },
    })
    expect(literal).toMatchObject({ host: { name: 'you@far', ssh: { host: 'far', user: 'you' } }, launch: { venv: '/env' } })
    expect(await resolveText(await renderTopology(topology))).toEqual(topology)
  })

  it.each([
    [
      'an address that ssh would take for an option',
      withNode('{ engine: sim, launch: {}, ssh: "-oProxyCommand=x" }'),
      /no address of another machine/,
    ],
    [
      'a declared address of that kind',
      withNode('{ engine: sim, launch: {}, ssh: box }', '{ box: { ssh: "-x" } }'),
      /no address of another machine/,
    ],
    ['nothing to launch', withNode('{ engine: sim, attach: "http://127.0.0.1:1", ssh: box }'), /nothing is launched/],
    ['a folder that is not absolute there', withNode('{ engine: sim, ssh: box, launch: { venv: env } }'), /lies on another machine/],
  ])('refuses %s', async (_what, text, message) => {
    expect((await errorsOf(resolveText(text))).problems).toEqual([
      expect.objectContaining({ message: expect.stringMatching(message) as string }),
    ])
  })
})
