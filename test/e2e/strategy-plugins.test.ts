/** Strangers' strategies through the real `lb`: used by the pools that name them, in every data thread, and named where they fail. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { House, simTopology } from './house.js'
import { chat, load } from './thread-load.js'

let house: House

beforeEach(() => void (house = new House()))

afterEach(async () => {
  await house.close()
})

/** Links a plugin whose strategy `by-name` does this when asked to pick. */
async function link(pick: string): Promise<void> {
  const folder = join(house.folder, 'lb-plugin-by-name')
  mkdirSync(folder)
  const plimsoll = { apiVersion: 1, strategies: { 'by-name': './index.mjs' } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'lb-plugin-by-name', version: '1.0.0', type: 'module', plimsoll }))
  writeFileSync(
    join(folder, 'index.mjs'),
    `export const strategy = {
  name: 'by-name',
  summary: 'The node with one name.',
  settings: { type: 'object', additionalProperties: false, properties: { suffix: { type: 'string', default: '-1' } } },
  create: ({ settings }) => ({ pick(facts, candidates) { ${pick} } }),
}
`,
  )
  const linked = await house.lb(['plugins', 'link', folder])
  expect(linked).toMatchObject({ code: 0, stdout: 'linked lb-plugin-by-name 1.0.0: strategy by-name\n' })
}

function declare(workers: number, strategy: string): void {
  const listen = `127.0.0.1:0, workers: ${workers} }`
  house.write(
    'lb.yaml',
    simTopology({ replicas: 3, profile: 'instant' })
      .replace('127.0.0.1:0 }', listen)
      .replace('    nodes:', `    strategy: ${strategy}\n    nodes:`),
  )
}

const bodies = Array.from({ length: 60 }, (_, index) => chat(`hello ${index}`, 4))

async function requestsByNode(): Promise<Record<string, number>> {
  const { pools } = await house.status()
  return Object.fromEntries(pools.flatMap(({ nodes }) => nodes.map(({ id, requests }) => [id.replace(/^.*-/, ''), requests] as const)))
}

describe('the strategy of a plugin', () => {
  it.each([1, 2])('chooses for its pool, with its settings, where %i workers serve', async (workers) => {
    await link('return Math.max(0, candidates.findIndex(({ id }) => id.endsWith(settings.suffix)))')
    declare(workers, '{ name: by-name, suffix: "-2" }')
    expect((await house.lb(['strategies'])).stdout).toMatch(/by-name \(lb-plugin-by-name\).*The node with one name\./)
    const url = await house.up()
    const { failed } = await load(url, bodies, { concurrency: 20 })
    expect(failed).toEqual([])
    const counts = await requestsByNode()
    expect([counts['0'], counts['1']]).toEqual([0, 0])
    expect(counts['2']).toBeGreaterThan(0)
  })

  it('that fails is named in the answer, and nothing else is hurt', async () => {
    await link(`throw new Error('no stars tonight')`)
    declare(1, 'by-name')
    const url = await house.up()
    const body = chat('hello', 4)
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect(answer.status).toBe(500)
    expect(await answer.text()).toContain('The strategy \\"by-name\\" failed: it threw: no stars tonight')
    expect((await house.lb(['status'])).code).toBe(0)
  })

  it('with a wrong setting, or whose module does not load, is refused before anything starts', async () => {
    await link('return 0')
    declare(1, '{ name: by-name, sufix: "-2" }')
    const misspelt = await house.lb(['up', '--detach'])
    expect([misspelt.code, misspelt.stderr]).toEqual([2, expect.stringContaining('suffix')])
    writeFileSync(join(house.folder, 'lb-plugin-by-name/index.mjs'), `throw new Error('not built')`)
    declare(1, 'by-name')
    const broken = await house.lb(['up', '--detach'])
    expect(broken.code).not.toBe(0)
    expect(broken.stderr).toContain('the plugin for strategy `by-name` does not load: not built')
    await house.lb(['plugins', 'uninstall', 'lb-plugin-by-name'])
    expect((await house.lb(['up', '--detach'])).stderr).toContain('there is no strategy `by-name`')
    expect(house.survivors()).toEqual([])
  })
})
