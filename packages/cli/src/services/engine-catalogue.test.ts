import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
    const found = installedEngines([], root)
    expect([...found.keys()]).toEqual(['alpha'])
    expect(found.get('alpha')).toMatchObject({ packageName: 'plugin-a', packageVersion: '1.2.3' })
    const [plugin] = await loadEngines([...found.values()])
    expect(plugin?.engine).toBe('alpha')
  })

  it.each([
    [{ apiVersion: 2 }, /apiVersion is 2/],
    [{ apiVersion: 1, engines: { 'Bad Name': './a.mjs' } }, /is no engine name/],
    [{ apiVersion: 1, engines: { beta: '../../x.mjs' } }, /must start with \.\//],
    [{ apiVersion: 1, engines: { beta: './gone.mjs' } }, /gone\.mjs for engine `beta` does not exist/],
    ['yes', /apiVersion is undefined/],
  ])('name the plugin that declares them wrongly: %j', (plimsoll, message) => {
    const folder = addPackage('bad', { name: 'bad-plugin', plimsoll })
    expect(() => installedEngines([folder], root)).toThrow(message)
    expect(() => installedEngines([folder], root)).toThrow(/bad-plugin/)
  })

  it('of one name from two plugins are refused: load order must not decide', () => {
    const folder = addPackage('other', { name: 'plugin-b', plimsoll: { apiVersion: 1, engines: { alpha: './b.mjs' } } })
    writeFileSync(join(folder, 'b.mjs'), '')
    expect(() => installedEngines([folder], root)).toThrow(/plugin-a and plugin-b/)
  })

  it('whose module breaks are named when they are used', async () => {
    const folder = addPackage('broken', { name: 'broken', plimsoll: { apiVersion: 1, engines: { gamma: './c.mjs' } } })
    writeFileSync(join(folder, 'c.mjs'), `throw new Error('no libfoo')`)
    await expect(loadEngines([...installedEngines([folder], root).values()])).rejects.toThrow(/gamma.*no libfoo/s)
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
