import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listStrategies } from './list-strategies.js'
import { prepareTopology } from './prepare-topology.js'
import { installedStrategies, loadStrategies } from './strategy-catalogue.js'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lb-strategies-'))
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

/** A package that brings one strategy, from a module with this text. */
function plugin(name: string, strategy: string, text = moduleText(strategy), plimsoll?: unknown): string {
  const folder = join(root, name)
  mkdirSync(folder, { recursive: true })
  const brought = plimsoll ?? { apiVersion: 1, strategies: { [strategy]: './s.mjs' } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', type: 'module', plimsoll: brought }))
  writeFileSync(join(folder, 's.mjs'), text)
  return folder
}

function moduleText(strategy: string): string {
  const settings = { type: 'object', additionalProperties: false, properties: { far: { type: 'number', default: 3 } } }
  return `globalThis.imported ??= []; globalThis.imported.push('${strategy}')
export const strategy = { name: '${strategy}', summary: 'Goes far.', settings: ${JSON.stringify(settings)}, create: () => ({ pick: () => 0 }) }`
}

const imported = (): readonly string[] => (globalThis as { imported?: readonly string[] }).imported ?? []

function prepared(pluginRoots: readonly string[], strategy: string) {
  const nodes = '[{ name: n, engine: sim, launch: {} }]'
  writeFileSync(join(root, 'lb.yaml'), `pools:\n  demo: { models: [m], strategy: ${strategy}, nodes: ${nodes} }\n`)
  return prepareTopology({ cwd: root, pluginRoots })
}

describe('strategies of plugins', () => {
  it('are known from package.json alone, and loaded only by the topology that names them', async () => {
    const roots = [plugin('one', 'wide-one'), plugin('two', 'wide-two')]
    expect([...installedStrategies(roots).strategies.keys()]).toEqual(['wide-one', 'wide-two'])
    const other = await prepared(roots, 'least-tokens')
    expect([other.strategyModules, imported().filter((name) => name.startsWith('wide'))]).toEqual([{}, []])
    const { topology, strategyModules } = await prepared(roots, 'wide-two')
    expect(strategyModules).toEqual({ 'wide-two': join(root, 'two/s.mjs') })
    expect(topology.pools[0]?.strategy).toEqual({ name: 'wide-two', settings: { far: 3 } })
    expect(imported().filter((name) => name.startsWith('wide'))).toEqual(['wide-two'])
  })

  it('have their settings checked like all others, and are proposed for a name that is nearly theirs', async () => {
    const roots = [plugin('one', 'far-away')]
    await expect(prepared(roots, '{ name: far-away, far: near }')).rejects.toThrow(/far/)
    await expect(prepared(roots, 'far-awya')).rejects.toThrow(/there is no strategy `far-awya`/)
  })

  it.each([
    ['throws', `throw new Error('no luck')`, /strategy `odd-one` does not load: no luck/],
    ['exports nothing', 'export const other = 1', /no export `strategy`/],
    ['brings another', moduleText('odd-two'), /says that it is `odd-two`/],
    ['has no settings', `export const strategy = { name: 'odd-one', create() {} }`, /no schema/],
  ])('whose module %s refuse the topology that names them, with the reason; lb strategies shows it too', async (_title, text, message) => {
    const roots = [plugin('odd', 'odd-one', text)]
    await expect(prepared(roots, 'odd-one')).rejects.toThrow(message)
    await expect(prepared(roots, 'least-tokens')).resolves.toBeDefined()
    expect((await listStrategies(roots)).find(({ name }) => name === 'odd-one')?.summary).toMatch(message)
  })

  it.each([
    [{ apiVersion: 2 }, /apiVersion is 2/],
    [{ apiVersion: 1, strategies: { 'Bad Name': './s.mjs' } }, /`Bad Name` is no strategy name/],
    [{ apiVersion: 1, strategies: { beta: '../s.mjs' } }, /the path of strategy `beta` must start with \.\//],
    [{ apiVersion: 1, strategies: { beta: './gone.mjs' } }, /gone\.mjs for strategy `beta` does not exist/],
    [{ apiVersion: 1, strategies: [] }, /plimsoll\.strategies is no object/],
  ])('that are declared wrongly name their package: %j', (plimsoll, message) => {
    const { strategies, faults } = installedStrategies([plugin('bad', 'beta', '', plimsoll), plugin('good', 'gamma')])
    expect([...strategies.keys()]).toEqual(['gamma'])
    expect(faults).toEqual([expect.objectContaining({ packageName: 'bad' })])
    expect(faults[0]?.error.message).toMatch(message)
  })

  it("of one name from two plugins, or of the name of a built-in, are nobody's", async () => {
    const roots = [plugin('one', 'same'), plugin('two', 'same'), plugin('three', 'lmetric')]
    const { strategies, faults } = installedStrategies(roots)
    expect([...strategies.keys()]).toEqual([])
    expect(faults.map(({ error }) => error.message)).toEqual([
      'two bring the strategy `same`: one and two',
      'two bring the strategy `lmetric`: lb itself and three',
    ])
    await expect(prepared(roots, 'same')).rejects.toThrow(expect.objectContaining({ code: 'LB_STRATEGY_DUPLICATE' }))
  })

  it('are listed behind those of lb, with their plugin', async () => {
    const listed = await listStrategies([plugin('one', 'far-one')])
    expect(listed.at(-1)).toMatchObject({ name: 'far-one', packageName: 'one', summary: 'Goes far.', isDefault: false })
    expect(await loadStrategies([...installedStrategies([join(root, 'one')]).strategies.values()])).toHaveLength(1)
  })
})
