/** A stranger's metric through the real `lb`: a rollout is judged by what it tells, and named where it fails. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { House } from './house.js'
import { chat, load } from './thread-load.js'

let house: House

beforeEach(() => void (house = new House()))

afterEach(async () => {
  await house.lb(['down', '--force'])
  await house.close()
})

/** Links a plugin whose metric `stars` does this when asked. */
async function link(evaluate: string): Promise<void> {
  const folder = join(house.folder, 'lb-plugin-stars')
  mkdirSync(folder)
  const plimsoll = { apiVersion: 1, metrics: { stars: './index.mjs' } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'lb-plugin-stars', version: '1.0.0', type: 'module', plimsoll }))
  const settings = { type: 'object', additionalProperties: false, properties: { lost: { type: 'number', default: 2 } } }
  writeFileSync(
    join(folder, 'index.mjs'),
    `export const metric = {
  name: 'stars',
  summary: 'How many stars an answer gets.',
  settings: ${JSON.stringify(settings)},
  evaluate({ settings, side, samples }) { ${evaluate} },
}
`,
  )
  expect(await house.lb(['plugins', 'link', folder])).toMatchObject({ code: 0, stdout: 'linked lb-plugin-stars 1.0.0: metric stars\n' })
}

function declare(metric: string): void {
  house.write(
    'lb.yaml',
    `gateway: { listen: 127.0.0.1:0, workers: 2 }
pools:
  chat:
    models: [sim-8b]
    rollout: { kind: canary, steps: [50%, 100%], hold: 1s, judge: { minSamples: 5, ttft: x50, tpot: x50, metrics: [${metric}] } }
    nodes:
      - { name: gpu, engine: sim, launch: { replicas: 2, args: { profile: instant } } }
`,
  )
}

interface Ended {
  readonly code: number | null
  readonly phase: string
  readonly reason: string | null
  readonly figure: unknown
}

/** A rollout of the same model under load, to its end. */
async function rollOut(): Promise<Ended> {
  const url = await house.up()
  let isOver = false
  const clients = (async () => {
    for (let round = 0; !isOver; round += 1) {
      const bodies = Array.from({ length: 20 }, (_, index) => chat(`hello ${round} ${index}`, 4))
      const { failed } = await load(url, bodies, { concurrency: 4 })
      expect(failed).toEqual([])
    }
  })()
  const { code } = await house.lb(['rollout', 'start', 'chat', '--set', 'launch.args.maxNumSeqs=64', '--wait'])
  isOver = true
  await clients
  const shown = await house.lb(['rollout', 'status', 'chat', '--json'])
  const { phase, reason, judge } = JSON.parse(shown.stdout) as {
    readonly phase: string
    readonly reason: string | null
    readonly judge: { readonly figures: readonly { readonly name: string }[] }
  }
  return { code, phase, reason, figure: judge.figures.find(({ name }) => name === 'rating') }
}

const telling = 'if (samples.length < 5) return null; return side === "new" ? 5 - settings.lost : 5'

describe('the metric of a plugin', () => {
  it('takes back a revision that is beyond its limit, and no client fails', async () => {
    await link(telling)
    declare('{ name: rating, plugin: stars, min: 4, every: 200ms, failures: 1 }')
    const { code, phase, reason, figure } = await rollOut()
    expect([code, phase, reason]).toEqual([3, 'rolled-back', 'rating: is 3 (at least 4, 2 bad answers and 1 are borne)'])
    expect(figure).toMatchObject({ canary: 3, baseline: 5, verdict: 'bad' })
  })

  it('lets one live that keeps to its limit, as its settings say', async () => {
    await link(telling)
    declare('{ name: rating, plugin: stars, args: { lost: 0.5 }, min: 4, every: 200ms }')
    const { code, phase, figure } = await rollOut()
    expect([code, phase]).toEqual([0, 'promoted'])
    expect(figure).toMatchObject({ canary: 4.5, verdict: 'good' })
  })

  it('that throws is no data, which is a failure', async () => {
    await link(`throw new Error('no stars tonight')`)
    declare('{ name: rating, plugin: stars, min: 4, every: 200ms, failures: 1 }')
    const { code, reason } = await rollOut()
    expect(code).toBe(3)
    expect(reason).toContain('rating: no answer: no stars tonight')
  })

  it('with a wrong setting, or whose module does not load, is refused before anything starts', async () => {
    await link('return 5')
    declare('{ name: rating, plugin: stars, args: { lots: 1 }, min: 4 }')
    const misspelt = await house.lb(['up', '--detach'])
    expect([misspelt.code, misspelt.stderr]).toEqual([2, expect.stringContaining('lost')])
    writeFileSync(join(house.folder, 'lb-plugin-stars/index.mjs'), `throw new Error('not built')`)
    declare('{ name: rating, plugin: stars, min: 4 }')
    const broken = await house.lb(['up', '--detach'])
    expect(broken.code).not.toBe(0)
    expect(broken.stderr).toContain('the plugin for metric `stars` does not load: not built')
    await house.lb(['plugins', 'uninstall', 'lb-plugin-stars'])
    expect((await house.lb(['up', '--detach'])).stderr).toContain('no plugin brings the metric `stars`')
    expect(house.survivors()).toEqual([])
  })
})
