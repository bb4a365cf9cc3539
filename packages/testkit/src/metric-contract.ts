import assert from 'node:assert/strict'
import { createStrategyRegistry, resolveTopology } from '@plimsoll/core'
import type { MetricPlugin, MetricQuestion, JudgedRequest } from '@plimsoll/core/plugin'
import { seededRandom } from '@plimsoll/core/routing'
import type { ContractRule } from './contract.js'
import { outcomeOf } from './outcome.js'
import { fetchingHost, recordingHost } from './plugin-hosts.js'
import { settingsRule } from './settings-rule.js'

/** What an author may say beside the plugin. */
export interface MetricSubject {
  /** Settings to hold it to, besides its defaults. */
  readonly settings?: readonly Readonly<Record<string, unknown>>[]
}

/** An answer that comes later is none. */
const LIMIT_MS = 10_000
/** Once its signal has said so. */
const END_MS = 1_000

/** The contract of metric plugins as a list, for any test runner: `for (const { title, run } of metricContract(metric)) test(title, run)`. */
export function metricContract<Settings>(given: MetricPlugin<Settings>, subject: MetricSubject = {}): readonly ContractRule[] {
  const plugin = given as unknown as MetricPlugin
  const kinds = [{}, ...(subject.settings ?? [])]
  const everyQuestion = async (check: (question: MetricQuestion, what: string) => Promise<void>): Promise<void> => {
    for (const kind of kinds) {
      const settings = await settingsOf(plugin, kind)
      for (const [what, samples] of Object.entries(scenes())) {
        for (const side of ['new', 'old'] as const) await check(questionOf(settings, side, samples), `${what}, ${side} side`)
      }
    }
  }
  return [
    {
      title: 'it says its name, and in one line what its number says',
      async run() {
        assert.match(plugin.name, /^[a-z][a-z0-9-]*$/)
        assert.match(plugin.summary, /^[^\n]{10,}$/)
      },
    },
    settingsRule((given) => settingsOf(plugin, given)),
    {
      title: 'it tells a finite number, null where it is too early, or fails with an Error, whatever was seen',
      run: () =>
        everyQuestion(async (question, what) => {
          const outcome = await outcomeOf(what, async () => plugin.evaluate(question), LIMIT_MS)
          if ('error' in outcome || outcome.value === null) return
          assert.ok(Number.isFinite(outcome.value), `${what}: it told ${String(outcome.value)}`)
        }),
    },
    {
      title: 'it changes nothing of what it is shown',
      run: () =>
        everyQuestion(async (question, what) => {
          const before = JSON.stringify([question.settings, question.samples])
          await outcomeOf(what, async () => plugin.evaluate(question), LIMIT_MS)
          assert.equal(JSON.stringify([question.settings, question.samples]), before, what)
        }),
    },
    {
      title: 'it tells the same of the same, where it asks nobody else',
      run: () =>
        everyQuestion(async (question, what) => {
          const host = recordingHost()
          const [first, second] = [await told(plugin, { ...question, host }, what), await told(plugin, { ...question, host }, what)]
          if (host.calls.length === 0) assert.deepEqual(second, first, what)
        }),
    },
    {
      title: 'it ends soon once its signal says so',
      async run() {
        const settings = await settingsOf(plugin, {})
        const question = questionOf(settings, 'new', scenes()['many requests'] ?? [])
        await outcomeOf('with an aborted signal', async () => plugin.evaluate({ ...question, signal: AbortSignal.abort() }), END_MS)
      },
    },
  ]
}

async function told(plugin: MetricPlugin, question: MetricQuestion, what: string): Promise<unknown> {
  const outcome = await outcomeOf(what, async () => plugin.evaluate(question), LIMIT_MS)
  return 'error' in outcome ? outcome.error.message : outcome.value
}

function questionOf(settings: unknown, side: MetricQuestion['side'], samples: readonly JudgedRequest[]): MetricQuestion {
  const toMs = 1_764_000_000_000
  const revision = side === 'new' ? 'r2' : 'r1'
  const signal = AbortSignal.timeout(LIMIT_MS)
  return { settings, pool: 'chat', side, revision, fromMs: toMs - 60_000, toMs, samples, host: fetchingHost, signal }
}

/** What a judge may have seen of one side. */
function scenes(): Readonly<Record<string, readonly JudgedRequest[]>> {
  const random = seededRandom(7)
  const many = Array.from({ length: 300 }, (_, index): JudgedRequest => {
    const failed = random.next() < 0.1
    const tokens = Math.floor(1 + 400 * random.next() ** 2)
    const startedAtMs = 1_763_999_940_000 + 200 * index
    return {
      node: `chat/node-${index % 3}`,
      startedAtMs,
      endedAtMs: startedAtMs + 50 + 20 * tokens,
      failed,
      refused: false,
      ttftMs: failed ? null : 50 + 100 * random.next(),
      tpotMs: failed || tokens < 8 ? null : 20 + 5 * random.next(),
      completionTokens: failed ? null : tokens,
      ...(failed ? {} : { quality: { chars: 4 * tokens, isEmpty: false, isRepeating: random.next() < 0.05 } }),
    }
  })
  const bare = { node: null, startedAtMs: null, endedAtMs: null, refused: false, ttftMs: null, tpotMs: null, completionTokens: null }
  return {
    'no request': [],
    'one request of which little is known': [{ ...bare, failed: false }],
    'failures alone': Array.from({ length: 20 }, () => ({ ...bare, failed: true })),
    'an empty answer': [{ ...bare, failed: false, completionTokens: 0, quality: { chars: 0, isEmpty: true, isRepeating: false } }],
    'many requests': many,
  }
}

/** Checked and with defaults filled in, as reading a topology does it. */
async function settingsOf(plugin: MetricPlugin, given: unknown): Promise<unknown> {
  const engines = new Map([['contract', { settings: {}, canLaunch: false }]])
  const metric = { name: 'figure', plugin: plugin.name, args: given as object, min: 0 }
  const nodes = [{ name: 'node', engine: 'contract', attach: 'http://127.0.0.1:1' }]
  const topology = await resolveTopology(
    { name: 'contract', pools: { contract: { models: ['model-a'], rollout: { judge: { metrics: [metric] } }, nodes } } },
    { engines, strategies: createStrategyRegistry().catalogue, metrics: new Map([[plugin.name, plugin]]), env: {} },
  )
  return topology.pools[0]?.rollout?.judge.metrics[0]?.args
}
