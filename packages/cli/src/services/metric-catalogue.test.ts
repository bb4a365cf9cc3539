import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installedMetrics, loadMetrics } from './metric-catalogue.js'
import { prepareTopology } from './prepare-topology.js'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lb-metrics-'))
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

/** A package that brings one metric, from a module with this text. */
function plugin(name: string, metric: string, text = moduleText(metric), plimsoll?: unknown): string {
  const folder = join(root, name)
  mkdirSync(folder, { recursive: true })
  const brought = plimsoll ?? { apiVersion: 1, metrics: { [metric]: './m.mjs' } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', type: 'module', plimsoll: brought }))
  writeFileSync(join(folder, 'm.mjs'), text)
  return folder
}

function moduleText(metric: string): string {
  const settings = { type: 'object', additionalProperties: false, properties: { far: { type: 'number', default: 3 } } }
  return `export const metric = { name: '${metric}', summary: 'How far it went.', settings: ${JSON.stringify(settings)}, evaluate: () => 1 }`
}

function prepared(pluginRoots: readonly string[], metric: string) {
  const rollout = `rollout: { judge: { metrics: [${metric}] } }`
  writeFileSync(join(root, 'lb.yaml'), `pools:\n  demo: { models: [m], ${rollout}, nodes: [{ name: n, engine: sim, launch: {} }] }\n`)
  return prepareTopology({ cwd: root, pluginRoots })
}

describe('metrics of plugins', () => {
  it('are loaded by the topology that names them, with their settings checked and filled in', async () => {
    const roots = [plugin('one', 'wide-one'), plugin('two', 'wide-two')]
    expect([...installedMetrics(roots).metrics.keys()]).toEqual(['wide-one', 'wide-two'])
    expect((await prepared(roots, '{ name: a, url: "http://m", min: 1 }')).metricModules).toEqual({})
    const { topology, metricModules } = await prepared(roots, '{ name: a, plugin: wide-two, min: 1 }')
    expect(metricModules).toEqual({ 'wide-two': join(root, 'two/m.mjs') })
    expect(topology.pools[0]?.rollout?.judge.metrics).toMatchObject([{ name: 'a', plugin: 'wide-two', args: { far: 3 }, min: 1 }])
    await expect(prepared(roots, '{ name: a, plugin: wide-one, args: { fra: 1 }, min: 1 }')).rejects.toThrow(/fra/)
    await expect(prepared(roots, '{ name: a, plugin: wide-on, min: 1 }')).rejects.toThrow(/no plugin brings the metric `wide-on`/)
  })

  it.each([
    ['throws', `throw new Error('no luck')`, /metric `odd-one` does not load: no luck/],
    ['exports nothing', 'export const other = 1', /no export `metric`/],
    ['brings another', moduleText('odd-two'), /says that it is `odd-two`/],
    ['has no settings', `export const metric = { name: 'odd-one', evaluate() {} }`, /no schema/],
  ])('whose module %s refuse the topology that names them, with the reason', async (_title, text, message) => {
    const roots = [plugin('odd', 'odd-one', text)]
    await expect(prepared(roots, '{ name: a, plugin: odd-one, min: 1 }')).rejects.toThrow(message)
    await expect(prepared(roots, '{ name: a, url: "http://m", min: 1 }')).resolves.toBeDefined()
  })

  it.each([
    [{ apiVersion: 2 }, /apiVersion is 2/],
    [{ apiVersion: 1, metrics: { 'Bad Name': './m.mjs' } }, /`Bad Name` is no metric name/],
    [{ apiVersion: 1, metrics: { beta: '../m.mjs' } }, /the path of metric `beta` must start with \.\//],
    [{ apiVersion: 1, metrics: { beta: './gone.mjs' } }, /gone\.mjs for metric `beta` does not exist/],
  ])('that are declared wrongly name their package: %j', (plimsoll, message) => {
    const { metrics, faults } = installedMetrics([plugin('bad', 'beta', '', plimsoll), plugin('good', 'gamma')])
    expect([...metrics.keys()]).toEqual(['gamma'])
    expect(faults).toEqual([expect.objectContaining({ packageName: 'bad' })])
    expect(faults[0]?.error.message).toMatch(message)
  })

  it("of one name from two plugins are nobody's", async () => {
    const roots = [plugin('one', 'same'), plugin('two', 'same')]
    const { metrics, faults } = installedMetrics(roots)
    expect([[...metrics.keys()], faults.map(({ error }) => error.message)]).toEqual([[], ['two bring the metric `same`: one and two']])
    await expect(prepared(roots, '{ name: a, plugin: same, min: 1 }')).rejects.toMatchObject({ code: 'LB_METRIC_DUPLICATE' })
    expect(await loadMetrics([...installedMetrics([join(root, 'one')]).metrics.values()])).toHaveLength(1)
  })
})
