import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { errorsOf, resolveText } from './catalogue.test.fixture.js'
import { placeOf } from './problem.js'
import { formatFactor, formatIncrease, parseFactor, parseIncrease } from './quantities.js'
import { renderTopology } from './render-topology.js'
import { rolloutDefaults } from './rollout-plan.js'
import { TopologyErrors } from './topology-errors.js'
import { wishedRollout } from './wished-rollout.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-rollout-'))
const golden = join(folder, 'golden.yaml')
writeFileSync(golden, 'prompts: []\n')
afterAll(() => rmSync(folder, { recursive: true }))

const topology = (rollout: string) =>
  `pools:\n  chat:\n    nodes: [{engine: ollama}]\n    rollout:\n${rollout.replaceAll(/^/gm, '      ')}\n`

async function planOf(rollout: string) {
  return (await resolveText(topology(rollout))).pools[0]?.rollout
}

describe('rollout: of a pool', () => {
  it('is absent where nothing is said, and has every default where it is empty', async () => {
    expect((await resolveText('pools: {chat: {nodes: [{engine: ollama}]}}')).pools[0]?.rollout).toBeUndefined()
    expect(await planOf('{}')).toEqual(rolloutDefaults)
    expect(rolloutDefaults).toMatchObject({
      steps: [0.05, 0.25, 0.5, 1],
      holdMs: 60_000,
      maxSurge: 1,
      maxUnavailable: 0,
      rollback: 'auto',
      progressMs: 600_000,
      judge: { errorRate: 0.01, ttftRatio: 1.5, tpotRatio: 1.5, emptyOutputs: 0.01, minSamples: 50, falseAlarmRate: 0.003 },
    })
  })

  it('may be judged by the metric of a plugin, with its settings checked and filled in', async () => {
    const metric = { name: 'short', plugin: 'short-answers', everyMs: 10_000, max: 0.2, failures: 2 }
    const plan = await planOf('judge: { metrics: [{ name: short, plugin: short-answers, max: 0.2 }] }')
    expect(plan?.judge.metrics).toEqual([{ ...metric, args: { tokens: 16 } }])
    const other = await planOf('judge: { metrics: [{ name: short, plugin: short-answers, args: { tokens: 3 }, max: 0.2 }] }')
    expect(other?.judge.metrics).toEqual([{ ...metric, args: { tokens: 3 } }])
    const { problems } = await errorsOf(
      resolveText(topology('judge: { metrics: [{ name: short, plugin: short-answers, args: { token: 3 }, max: 0.2 }] }')),
    )
    expect(problems[0]?.message).toContain('token')
    for (const wrong of [{}, { url: 'http://m', plugin: 'short-answers' }])
      expect(() => wishedRollout(undefined, { judge: { metrics: [{ name: 'a', everyMs: 1000, failures: 0, min: 1, ...wrong }] } })).toThrow(
        TopologyErrors,
      )
  })

  it('is read with its quantities', async () => {
    const text = `kind: canary
steps: [5%, 25%, 50%, 100%]
hold: 90s
header: { name: X-Canary, value: "1" }
judge: { errorRate: +2%, ttft: x1.25, emptyOutputs: 1%, length: x2, golden: ${golden}, metrics: [{ name: stars, url: "http://m/{revision}", min: 4 }] }
rollback: ask
webhooks: [https://hooks.example/a]`
    expect(await planOf(text)).toMatchObject({
      kind: 'canary',
      steps: [0.05, 0.25, 0.5, 1],
      holdMs: 90_000,
      header: { name: 'x-canary', value: '1' },
      judge: {
        errorRate: 0.02,
        ttftRatio: 1.25,
        lengthRatio: 2,
        goldenFile: golden,
        metrics: [{ name: 'stars', url: 'http://m/{revision}', everyMs: 10_000, min: 4, failures: 2 }],
      },
      rollback: 'ask',
      webhooks: ['https://hooks.example/a'],
    })
  })

  it('takes one step where the kind has no others', async () => {
    expect((await planOf('kind: rolling'))?.steps).toEqual([1])
    expect((await planOf('kind: split'))?.steps).toEqual([0.5])
    expect((await planOf('{ kind: shadow, steps: [20%] }'))?.steps).toEqual([0.2])
  })

  it('comes back from its written form unchanged', async () => {
    const first = await resolveText(
      topology(`{ kind: split, steps: [12.5%], judge: { golden: ${golden}, length: x1.2 }, webhooks: ["http://a/$\${b}"] }`),
    )
    expect((await resolveText(await renderTopology(first))).pools).toEqual(first.pools)
  })

  it.each([
    ['{ steps: [5%, 5%, 100%] }', '5:21 each step gives more traffic than the one before'],
    ['{ steps: [5%, 50%] }', '5:21 the last step is less than all traffic: the rollout would never end'],
    ['{ kind: split, steps: [5%, 50%] }', '5:29 split has one step'],
    ['{ steps: [0%, 100%] }', '5:17 a step gives no traffic'],
    ['{ kind: canery }', '5:15 kind cannot be `canery`'],
    ['{ maxSurge: 0 }', '5:19 with neither more nor fewer nodes than declared none can be replaced'],
    ['{ header: { name: Authorization, value: x } }', '5:25 the header `Authorization` has a meaning of its own'],
    ['{ webhooks: [hooks.example/a] }', '5:20 this is no URL of http or https'],
    ['{ webhooks: ["https://me:secret@hooks.example/a"] }', '5:20 a URL with a password in it would stand in the file'],
    ['{ judge: { ttft: 1.5 } }', '5:24 ttft cannot be a number'],
    ['{ judge: { ttft: x1 } }', '5:24 ttft cannot be `x1`'],
    ['{ judge: { errorRate: 1 } }', '5:29 errorRate cannot be a number'],
    ['{ judge: { falseAlarmRate: 0% } }', '5:34 falseAlarmRate cannot be `0%`'],
    ['{ judge: { golden: /nowhere/g.yaml } }', '5:26 there is no file /nowhere/g.yaml'],
    ['{ judge: { metrics: [{ name: a, min: 1 }] } }', '5:28 a metric is told by a URL or by a plugin'],
    ['{ judge: { metrics: [{ name: a, min: 1, url: "http://m", plugin: b }] } }', '5:28 a metric is told by a URL or by a plugin'],
    ['{ judge: { metrics: [{ name: a, min: 1, plugin: short-answer }] } }', '5:55 no plugin brings the metric `short-answer`'],
    ['{ judge: { metrics: [{ name: a, min: 1, plugin: short-answers, path: b }] } }', '5:70 a plugin tells the number itself'],
    ['{ judge: { metrics: [{ name: a, min: 1, url: "http://m", args: {} }] } }', '5:64 only a metric of a plugin has settings'],
    ['{ judge: { metrics: [{ name: a, url: "http://m" }] } }', '5:28 a metric without limits judges nothing'],
    ['{ judge: { metrics: [{ name: a, url: "http://m", min: 2, max: 1 }] } }', '5:61 min 2 is more than max 1'],
    ['{ judge: { emtyOutputs: 1% } }', '5:18 `emtyOutputs` is not a key of judge'],
    ['{ hold: 5 }', '5:15 hold cannot be a number'],
    ['{ hold: 90h, progress: 0s }', '5:30 progress cannot be `0s`'],
  ])('refuses %s with its place', async (rollout, said) => {
    const { problems } = await errorsOf(resolveText(topology(rollout)))
    expect(problems.map((problem) => `${problem.line}:${problem.column} ${problem.message}`)).toEqual([said])
  })
})

describe('what may be worse by how much', () => {
  it('is read and written the same', () => {
    expect([parseIncrease('+1%'), parseIncrease('1%'), parseFactor('x1.5')]).toEqual([0.01, 0.01, 1.5])
    for (const text of ['', '1', '++1%', '-1%', '+101%']) expect(parseIncrease(text), text).toBeUndefined()
    for (const text of ['', '1.5', 'x', 'x-1', 'x1e3', '1.5x']) expect(parseFactor(text), text).toBeUndefined()
    fc.assert(fc.property(fc.nat({ max: 100_000 }), (n) => formatIncrease(parseIncrease(`${n / 1000}%`) ?? 0) === `+${n / 1000}%`))
    fc.assert(fc.property(fc.nat({ max: 100_000 }), (n) => parseFactor(formatFactor(n / 1000)) === n / 1000))
  })
})

describe('a wish for a rollout', () => {
  it('changes what it names and leaves the rest as the pool has it', async () => {
    const declared = await planOf('{ kind: canary, steps: [10%, 100%], judge: { ttft: x2 } }')
    expect(wishedRollout(declared)).toEqual(declared)
    const wished = wishedRollout(declared, { holdMs: 5, judge: { errorRate: 0.05 }, header: { name: 'X-A', value: 'b' } })
    expect(wished).toMatchObject({ steps: [0.1, 1], holdMs: 5, judge: { errorRate: 0.05, ttftRatio: 2 }, header: { name: 'x-a' } })
  })

  it('brings the steps of another kind with it', async () => {
    const declared = await planOf('{ kind: canary, steps: [10%, 100%] }')
    expect(wishedRollout(declared, { kind: 'split' }).steps).toEqual([0.5])
    expect(wishedRollout(undefined, { kind: 'rolling' }).steps).toEqual([1])
    expect(wishedRollout(undefined, { kind: 'rolling', steps: [0.5, 1] }).steps).toEqual([0.5, 1])
  })

  it('is not believed: all that is wrong is told at once', () => {
    const wish = {
      kind: 'sideways',
      steps: [0.5, 0.2],
      holdMs: Number.NaN,
      rollback: 'never',
      judge: { errorRate: 7, goldenFile: './g.yaml' },
      webhooks: ['file:///etc/passwd'],
    }
    try {
      wishedRollout(undefined, wish as never)
      expect.unreachable()
    } catch (error) {
      if (!(error instanceof TopologyErrors)) throw error
      expect(error.problems.map(placeOf)).toEqual([
        'rollout: kind',
        'rollout: steps',
        'rollout: webhooks[0]',
        'rollout: holdMs',
        'rollout: judge.errorRate',
        'rollout: judge.goldenFile',
        'rollout: rollback',
      ])
    }
  })
})
