import { describe, expect, it } from 'vitest'
import { errorsOf, folder, resolveText } from './catalogue.test.fixture.js'
import { memberName, named, withMembers, type Member } from './members.js'
import { renderTopology } from './render-topology.js'
import { nodeIdsOf, type GroupPlan } from './topology.js'

const fileWith = (attach: string, more = ''): string =>
  `name: t\npools: { chat: { nodes: [ { name: gpu, engine: openai, attach: ${attach}${more} } ] } }\n`
const groupsOf = async (attach: string, more?: string): Promise<readonly GroupPlan[]> =>
  (await resolveText(fileWith(attach, more))).pools[0]?.groups ?? []
const sourceOf = async (attach: string) => (await groupsOf(attach))[0]?.source
const problemOf = async (attach: string): Promise<string> =>
  (await errorsOf(resolveText(fileWith(attach)))).problems.map(({ keyPath, message }) => `${keyPath}: ${message}`).join('; ')

describe('attach with a list of URLs', () => {
  it('is one node for each, named by host and port', async () => {
    const groups = await groupsOf("['http://10.0.0.6:8000', 'https://b.example/v1', 'unix:/run/engine.sock']", ', weight: 2')
    expect(groups.map(({ name, attach, weight }) => [name, attach?.url, weight])).toEqual([
      ['gpu-10-0-0-6-8000', 'http://10.0.0.6:8000', 2],
      ['gpu-b-example-443-v1', 'https://b.example/v1', 2],
      ['gpu-engine-sock', 'http+unix://%2Frun%2Fengine.sock', 2],
    ])
  })

  it('is refused where an entry is no URL, stands twice, or is a source', async () => {
    expect(await problemOf("['http://a:1', 'nonsense']")).toMatch(/attach\[1\]: pool chat: `nonsense` is not a URL/)
    expect(await problemOf("['http://a:1', 'http://b:1', 'http://a:1/']")).toMatch(/attach\[2\]: .*stands twice/)
    expect(await problemOf("['dns:a:1']")).toMatch(/attach\[0\]: .*is a source; a list takes URLs only/)
    expect(await problemOf('[]')).toMatch(/attach/)
  })

  it('does not take a name that another group has', async () => {
    const text = `pools: { chat: { nodes: [ { name: gpu, engine: openai, attach: ['http://a:1'] }, { name: gpu-a-1, engine: openai, attach: 'http://b:1' } ] } }`
    expect((await errorsOf(resolveText(text))).problems[0]?.message).toContain('two nodes would be named `gpu-a-1`')
  })
})

describe('attach with a source', () => {
  it.each([
    ['dns:models.internal:8000', { kind: 'dns', from: 'dns:models.internal:8000', host: 'models.internal', port: 8000 }],
    ['srv:_http._tcp.models.internal', { kind: 'srv', from: 'srv:_http._tcp.models.internal', name: '_http._tcp.models.internal' }],
    ['file:members.json', { kind: 'file', from: `file:${folder}/members.json`, path: `${folder}/members.json` }],
    ['kubernetes:ml/vllm', { kind: 'kubernetes', from: 'kubernetes:ml/vllm', namespace: 'ml', service: 'vllm' }],
    [
      'kubernetes:ml/vllm:http-api',
      { kind: 'kubernetes', from: 'kubernetes:ml/vllm:http-api', namespace: 'ml', service: 'vllm', port: 'http-api' },
    ],
  ])('%s', async (text, source) => {
    expect(await sourceOf(`'${text}'`)).toEqual(source)
  })

  it('takes settings in its long form', async () => {
    expect(await sourceOf("{ from: 'dns:m:1', every: 2s, resolver: 127.0.0.1 }")).toMatchObject({ everyMs: 2000, resolver: '127.0.0.1:53' })
    expect(await sourceOf("{ from: 'kubernetes:a/b', server: 'https://api:6443/', tokenFile: t, caFile: /ca }")).toMatchObject({
      server: 'https://api:6443',
      tokenFile: `${folder}/t`,
      caFile: '/ca',
    })
  })

  it.each([
    ["'dns:models.internal'", 'is no name with a port'],
    ["'dns:models.internal:0'", 'is no name with a port'],
    ["'dns:models.internal:70000'", 'is no name with a port'],
    ["'dns:10.0.0.5:8000'", 'is an address, not a name'],
    ["'dns:a b:80'", 'is no name with a port'],
    ["'srv:'", 'is no name of SRV records'],
    ["'file:'", 'the file has no name'],
    ["'kubernetes:vllm'", 'is no service of Kubernetes'],
    ["'kubernetes:ml/vllm:99999'", 'is no service of Kubernetes'],
    ["{ from: 'http://a:1' }", 'is no source'],
    ["{ from: 'dns:a:1', tokenFile: x }", '`tokenFile` says nothing to dns:'],
    ["{ from: 'file:x', resolver: 10.0.0.2 }", '`resolver` says nothing to file:'],
    ["{ from: 'dns:a:1', resolver: dns.example }", 'is no address of a DNS server'],
    ["{ from: 'kubernetes:a/b', server: api }", 'is not a URL'],
    ["{ from: 'dns:a:1', every: often }", 'every'],
  ])('%s is refused', async (text, message) => {
    expect(await problemOf(text)).toContain(message)
  })

  it('comes back from its rendered form, as a list does', async () => {
    for (const text of [
      "'dns:m:1'",
      "{ from: 'srv:m', every: 2s, resolver: '[::1]:5353' }",
      "'file:x.json'",
      "{ from: 'kubernetes:a/b', kubeconfig: k }",
      "['http://a:1', 'http://b:1']",
    ]) {
      const topology = await resolveText(fileWith(text))
      expect(await resolveText(await renderTopology(topology))).toEqual(topology)
    }
  })
})

describe('the members of a source', () => {
  const member = (name: string, more: Partial<Member> = {}): Member => ({ name, url: `http://${name}:1`, weight: 1, rank: 0, ...more })

  it('stand in its place as attached groups, in order', async () => {
    const topology = await resolveText(
      "name: t\npools: { chat: { nodes: [ { name: a, engine: openai, attach: 'dns:m:1', weight: 4, model: x, apiKey: { env: K } }, { engine: vllm } ] } }",
    )
    const members = new Map([['chat/a', [member('one', { weight: 0.5 }), member('two', { model: 'y', rank: 1, labels: { zone: 'b' } })]]])
    const pool = withMembers(topology, members).pools[0]
    expect(pool?.groups.map((group) => [group.name, group.weight, group.model, group.rank, group.labels, group.apiKey])).toEqual([
      ['a-one', 2, 'x', undefined, undefined, { env: 'K' }],
      ['a-two', 4, 'y', 1, { zone: 'b' }, { env: 'K' }],
      ['vllm', 1, undefined, undefined, undefined, undefined],
    ])
    expect(pool?.groups.flatMap((group) => nodeIdsOf({ name: 'chat' }, group))).toEqual(['chat/a-one', 'chat/a-two', 'chat/vllm'])
  })

  it('are no nodes before the source has told any', async () => {
    const topology = await resolveText(fileWith("'dns:m:1'"))
    expect(topology.pools[0]?.groups.flatMap((group) => nodeIdsOf({ name: 'chat' }, group))).toEqual([])
    expect(withMembers(topology, new Map()).pools[0]?.groups).toEqual([])
  })

  it('have names that say where they are, whatever the URL', () => {
    expect(memberName('http://[fd00::1]:8000')).toBe('fd00-1-8000')
    expect(memberName('https://a.example')).toBe('a-example-443')
    expect(memberName(`http://${'a'.repeat(63)}.example:8000`)).toMatch(/^a{54}-[0-9a-f]{8}$/)
  })

  it('have names of their own where two hosts read alike, whatever their order', () => {
    const urls = [{ url: 'http://a-b.c:1' }, { url: 'http://a.b-c:1' }]
    const names = named(urls).map(({ url, name }) => [url, name])
    expect(new Set(names.map(([, name]) => name)).size).toBe(2)
    expect(named(urls.toReversed()).map(({ url, name }) => [url, name])).toEqual(names)
  })
})
