import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installedEngines, loadEngines } from './engine-catalogue.js'
import { nearestCommand } from './nearest-command.js'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lb-catalogue-'))
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'cli', dependencies: { 'plugin-a': '1', 'not-a-plugin': '1' } }))
  addPackage('node_modules/not-a-plugin', { name: 'not-a-plugin' })
  addPackage('node_modules/plugin-a', { name: 'plugin-a', version: '1.2.3', plimsoll: { apiVersion: 1, engines: { alpha: './a.mjs' } } })
  writeFileSync(join(root, 'node_modules/plugin-a/a.mjs'), `export const plugin = { apiVersion: 1, engine: 'alpha', createBackend() {} }`)
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function addPackage(path: string, manifest: object): string {
  const folder = join(root, path)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', ...manifest }))
  return folder
}

describe('installed engines', () => {
  it('are known from package.json alone', async () => {
    const { engines: found, faults } = installedEngines([], root)
    expect(faults).toEqual([])
    expect([...found.keys()]).toEqual(['alpha'])
    expect(found.get('alpha')).toMatchObject({ packageName: 'plugin-a', packageVersion: '1.2.3' })
    const [plugin] = await loadEngines([...found.values()])
    expect(plugin?.engine).toBe('alpha')
  })

  it.each([
    [{ apiVersion: 2 }, /apiVersion is 2/],
    [{ apiVersion: 1, engines: { 'Bad Name': './a.mjs' } }, /is no engine name/],
    [{ apiVersion: 1, engines: { beta: '../../x.mjs' } }, /must start with \.\//],
    [{ apiVersion: 1, engines: { beta: './../../x.mjs' } }, /stay in the package/],
    [{ apiVersion: 1, engines: { beta: 7 } }, /must start with \.\/.*not 7/],
    [{ apiVersion: 1, engines: ['./a.mjs'] }, /plimsoll\.engines is no object/],
    [{ apiVersion: 1, engines: { beta: './gone.mjs' } }, /gone\.mjs for engine `beta` does not exist/],
    ['yes', /apiVersion is undefined/],
  ])('name the plugin that declares them wrongly: %j', (plimsoll, message) => {
    const folder = addPackage('bad', { name: 'bad-plugin', plimsoll })
    const { engines, faults } = installedEngines([folder], root)
    expect(faults.map(({ error }) => error.message)).toEqual([expect.stringMatching(message)])
    expect(faults[0]).toMatchObject({ packageName: 'bad-plugin', error: { code: 'LB_BAD_PLUGIN' } })
    expect([...engines.keys()]).toEqual(['alpha'])
  })

  it('of one name from two plugins are refused: load order must not decide', () => {
    const folder = addPackage('other', { name: 'plugin-b', plimsoll: { apiVersion: 1, engines: { alpha: './b.mjs' } } })
    writeFileSync(join(folder, 'b.mjs'), '')
    const { engines, faults } = installedEngines([folder], root)
    expect(faults.map(({ error }) => error.message)).toEqual([expect.stringMatching(/plugin-a and plugin-b/)])
    expect([...engines.keys()]).toEqual([])
  })

  it('whose file is a link out of the package are not used', () => {
    const folder = addPackage('sly', { name: 'sly', plimsoll: { apiVersion: 1, engines: { gamma: './g.mjs' } } })
    symlinkSync(join(root, 'node_modules/plugin-a/a.mjs'), join(folder, 'g.mjs'))
    expect(installedEngines([folder], root).faults[0]?.error.message).toMatch(/link out of the package/)
  })

  it.each([
    ['throws', `throw new Error('no libfoo')`, /gamma.*no libfoo/s],
    ['exports nothing', 'export const other = 1', /no export `plugin`/],
    ['speaks another API', 'export const plugin = { apiVersion: 2, createBackend() {} }', /speaks plugin API 2/],
    ['brings another engine', `export const plugin = { apiVersion: 1, engine: 'delta', createBackend() {} }`, /brings `delta`/],
  ])('whose module %s hurt only their own nodes, and are named there', async (_title, text, message) => {
    const folder = addPackage('broken', { name: 'broken', plimsoll: { apiVersion: 1, engines: { gamma: './c.mjs' } } })
    writeFileSync(join(folder, 'c.mjs'), text)
    const { engines } = installedEngines([folder], root)
    const [alpha, gamma] = await loadEngines([...engines.values()])
    expect(alpha?.engine).toBe('alpha')
    expect(() => gamma?.createBackend({} as never, {} as never)).toThrow(message)
    expect(() => gamma?.createBackend({} as never, {} as never)).toThrow(expect.objectContaining({ code: 'LB_BAD_PLUGIN' }))
  })
})

describe('a mistyped command', () => {
  it('finds its neighbour, and nothing when none is near', () => {
    const known = ['status', 'up', 'nodes:drain', 'logs']
    expect(nearestCommand('statsu', known)).toBe('status')
    expect(nearestCommand('nodes:drian', known)).toBe('nodes:drain')
    expect(nearestCommand('purple', known)).toBeUndefined()
  })
})
