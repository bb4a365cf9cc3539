import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { engines, strategies } from './catalogue.test.fixture.js'
import { loadTopologyFile } from './load-topology-file.js'
import { resolveSecret } from './resolve-secret.js'
import { resolveTopology } from './resolve-topology.js'

const smallest = 'pools: { chat: { nodes: [ { engine: ollama } ] } }'
let root = ''

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'lb-topology-')))
  await write('package.json', '{}')
})

afterEach(() => rm(root, { recursive: true }))

async function write(path: string, text: string | Uint8Array): Promise<string> {
  const file = join(root, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}

describe('finding the file', () => {
  it('goes up to the folder with the package.json and no further', async () => {
    await write('lb.yaml', smallest)
    await mkdir(join(root, 'deep/er'), { recursive: true })
    expect((await loadTopologyFile({ cwd: join(root, 'deep/er') })).source).toMatchObject({ kind: 'text', file: join(root, 'lb.yaml') })
    await write('inner/package.json', '{}')
    await expect(loadTopologyFile({ cwd: join(root, 'inner') })).rejects.toMatchObject({ code: 'LB_TOPOLOGY_NOT_FOUND' })
  })

  it('takes lb.yaml before others, .config last, and what is named before all', async () => {
    await write('.config/lb.yaml', smallest)
    const inConfig = (await loadTopologyFile({ cwd: root })).source
    expect(inConfig.shown).toBe('.config/lb.yaml')
    expect((await resolveTopology(inConfig, { engines, strategies, env: {} })).name).toMatch(/^lb-topology-/)
    await write('lb.json', '{}')
    expect((await loadTopologyFile({ cwd: root })).source).toMatchObject({ shown: 'lb.json', format: 'json' })
    await write('lb.yaml', '')
    expect((await loadTopologyFile({ cwd: root })).source).toMatchObject({ shown: 'lb.yaml', text: '' })
    await write('other/prod.yaml', smallest)
    expect((await loadTopologyFile({ cwd: root, file: 'other/prod.yaml' })).source.shown).toBe('other/prod.yaml')
  })

  it('says what is missing or unreadable', async () => {
    await expect(loadTopologyFile({ cwd: root, file: 'no.yaml' })).rejects.toMatchObject({
      code: 'LB_TOPOLOGY_NOT_FOUND',
      message: 'there is no file no.yaml',
    })
    await expect(loadTopologyFile({ cwd: root, file: 'inner' })).rejects.toMatchObject({ code: 'LB_TOPOLOGY_NOT_FOUND' })
    await mkdir(join(root, 'inner'))
    const folder = {
      code: 'LB_TOPOLOGY_UNREADABLE',
      message: 'inner cannot be read: it is a folder',
      hint: '--file inner/lb.yaml, or cd there',
    }
    await expect(loadTopologyFile({ cwd: root, file: 'inner' })).rejects.toMatchObject(folder)
    await write('latin.yaml', Uint8Array.of(0x61, 0xe9))
    await expect(loadTopologyFile({ cwd: root, file: 'latin.yaml' })).rejects.toMatchObject({ code: 'LB_TOPOLOGY_INVALID' })
  })
})

describe('a file without an end', () => {
  it('is read no further than the largest that is allowed', async () => {
    const endless = await loadTopologyFile({ cwd: root, file: '/dev/zero' }).catch((error: unknown) => error)
    expect(endless).toMatchObject({ problems: [{ message: 'the file is larger than 1 MiB' }] })
  })
})

describe('a config in code', () => {
  it('is imported natively, anew after a change', async () => {
    const file = await write('lb.config.mjs', 'export default { pools: { a: { nodes: [{ engine: "ollama" }] } } }')
    const first = (await loadTopologyFile({ cwd: root })).source
    expect((await resolveTopology(first, { engines, strategies, env: {} })).pools[0]?.name).toBe('a')
    await write('lb.config.mjs', 'export default { pools: { bb: { nodes: [{ engine: "ollama" }] } } }')
    await utimes(file, new Date(), new Date(Date.now() + 5000))
    const second = (await loadTopologyFile({ cwd: root })).source
    expect((await resolveTopology(second, { engines, strategies, env: {} })).pools[0]?.name).toBe('bb')
  })

  it('may be TypeScript', async () => {
    await write('lb.config.ts', 'const engine: string = "ollama"\nexport default { pools: { a: { nodes: [{ engine }] } } }')
    const { source } = await loadTopologyFile({ cwd: root })
    expect((await resolveTopology(source, { engines, strategies, env: {} })).file).toBe(join(root, 'lb.config.ts'))
  })

  it('that fails says so', async () => {
    await write('lb.config.mjs', 'throw new Error("broken on purpose")')
    await expect(loadTopologyFile({ cwd: root })).rejects.toMatchObject({
      code: 'LB_TOPOLOGY_UNREADABLE',
      message: 'lb.config.mjs cannot be read: broken on purpose',
    })
    await write('empty.mjs', 'export const x = 1')
    await expect(loadTopologyFile({ cwd: root, file: 'empty.mjs' })).rejects.toMatchObject({ code: 'LB_TOPOLOGY_INVALID' })
  })
})

describe('a secret', () => {
  it('comes from the environment or from a file without its last line break', async () => {
    const file = await write('key', 'from-file\n')
    expect(resolveSecret({ env: 'K' }, { K: 'from-env' })).toBe('from-env')
    expect(resolveSecret({ file }, {})).toBe('from-file')
  })

  it('that is missing is named, not guessed', async () => {
    const empty = await write('empty', '\n')
    for (const ref of [{ env: 'K' }, { file: join(root, 'no') }, { file: empty }]) {
      expect(() => resolveSecret(ref, { K: '' })).toThrow(expect.objectContaining({ code: 'LB_SECRET_MISSING' }))
    }
  })
})
