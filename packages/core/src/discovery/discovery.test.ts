import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AttachSource, Topology } from '../topology/index.js'
import { askSources } from './ask-sources.js'
import { topologyWith, Watched } from './watched.test.fixture.js'

let folder: string
const open: Watched[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-discovery-'))
})

afterEach(() => {
  for (const { discovery } of open.splice(0)) discovery.stop()
  rmSync(folder, { recursive: true, force: true })
})

const fileSource = (name: string): AttachSource => ({
  kind: 'file',
  from: `file:${join(folder, name)}`,
  path: join(folder, name),
  everyMs: 10,
})
const put = (name: string, ...urls: readonly string[]): void => writeFileSync(join(folder, name), JSON.stringify(urls))

function watch(source: AttachSource, stateDir?: string): Watched {
  const watched = new Watched(source, stateDir === undefined ? {} : { stateDir })
  open.push(watched)
  return watched
}

describe('the sources of a topology', () => {
  it('keep what they said over the end of the process, for when they are away at the next start', async () => {
    const stateDir = join(folder, 'state')
    put('a.json', 'http://a.test:1')
    const first = watch(fileSource('a.json'), stateDir)
    await expect.poll(() => first.urls).toEqual(['http://a.test:1'])
    first.discovery.stop()
    rmSync(join(folder, 'a.json'))
    const second = watch(fileSource('a.json'), stateDir)
    await second.discovery.firstAnswers(5_000)
    expect(second.urls).toEqual(['http://a.test:1'])
    expect(second.report).toMatchObject({ error: 'there is no such file', atMs: expect.any(Number) })
  })

  it('that are others now remember nothing of those before, nor is a torn memory used', async () => {
    const stateDir = join(folder, 'state')
    put('a.json', 'http://a.test:1')
    const first = watch(fileSource('a.json'), stateDir)
    await expect.poll(() => first.urls).toHaveLength(1)
    const other = watch(fileSource('b.json'), stateDir)
    await other.discovery.firstAnswers(5_000)
    expect(other.urls).toEqual([])
    rmSync(join(folder, 'a.json'))
    for (const torn of ['{"v":1,"sources":{"p/g":{"from":', '{"v":1,"sources":{"p/g":{"from":1}}}', '[]', 'null']) {
      writeFileSync(join(stateDir, 'members.json'), torn)
      const watched = watch(fileSource('a.json'), stateDir)
      await watched.discovery.firstAnswers(5_000)
      expect(watched.urls).toEqual([])
    }
  })

  it('go on over a reload that leaves them alone, and hand their members to the one that takes their place until it speaks', async () => {
    put('a.json', 'http://a.test:1')
    const watched = watch(fileSource('a.json'))
    await expect.poll(() => watched.urls).toEqual(['http://a.test:1'])
    watched.discovery.use(topologyWith(fileSource('a.json')))
    expect(watched.urls).toEqual(['http://a.test:1'])
    watched.discovery.use(topologyWith(fileSource('b.json')))
    await expect.poll(() => watched.report.error).toBe('there is no such file')
    expect(watched.urls).toEqual(['http://a.test:1'])
    put('b.json', 'http://b.test:1')
    await expect.poll(() => watched.urls).toEqual(['http://b.test:1'])
    watched.discovery.use({ pools: [] } as unknown as Topology)
    expect(watched.discovery.members().size).toBe(0)
    expect(watched.discovery.reports('p')).toEqual([])
  })

  it('say nothing any more once stopped', async () => {
    put('a.json', 'http://a.test:1')
    const watched = watch(fileSource('a.json'))
    await expect.poll(() => watched.told).toHaveLength(1)
    watched.discovery.stop()
    put('a.json', 'http://a.test:2')
    const other = watch(fileSource('a.json'))
    await expect.poll(() => other.told).toHaveLength(1)
    expect(watched.told).toHaveLength(1)
  })

  it('can be asked once, for a plan', async () => {
    put('a.json', 'http://a.test:1')
    const { topology, sources } = await askSources(topologyWith(fileSource('a.json')), { env: {}, waitMs: 5_000 })
    expect(topology.pools[0]?.groups.map(({ name }) => name)).toEqual(['g-a-test-1'])
    expect(sources).toMatchObject([{ pool: 'p', group: 'g', members: 1, error: undefined }])
  })
})
