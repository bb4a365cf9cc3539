import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EngineModelOptions } from './engine-options.js'
import { createReferenceEngine } from './reference/engine.test.fixture.js'
import { SteppedEngine } from './reference/stepped.test.fixture.js'
import type { VirtualRun } from './run-chain.js'
import type { VirtualEngine, VirtualEngineEvents } from './virtual-contract.js'
import { createVirtualEngine } from './virtual-engine.js'

type Action =
  | {
      readonly kind: 'submit'
      readonly runs: readonly VirtualRun[]
      readonly privateTokens: number
      readonly outputTokens: number
      readonly goesOn: boolean
    }
  | { readonly kind: 'cancel' | 'ask'; readonly pick: number }
  | { readonly kind: 'slow'; readonly factor: number }
  | { readonly kind: 'crash' }

/** `afterMs` has a fraction that sums of step times never hit, so that nothing happens at one moment but what must. */
type Timed = Action & { readonly afterMs: number }

const runs = fc.array(fc.record({ id: fc.integer({ min: 1, max: 3 }), tokens: fc.constantFrom(5, 16, 30, 48, 64, 100) }), { maxLength: 4 })
const moment = (max: number) => fc.integer({ min: 0, max }).map((ticks) => ticks * 0.031_415_926_535)
const after = { afterMs: fc.oneof(moment(500), moment(20_000)) }
const action: fc.Arbitrary<Timed> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      ...after,
      kind: fc.constant('submit' as const),
      runs,
      privateTokens: fc.integer({ min: 0, max: 60 }),
      outputTokens: fc.oneof(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 0, max: 3 })),
      goesOn: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ ...after, kind: fc.constant('cancel' as const), pick: fc.nat() }) },
  { weight: 10, arbitrary: fc.record({ ...after, kind: fc.constant('ask' as const), pick: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ ...after, kind: fc.constant('slow' as const), factor: fc.constantFrom(0.25, 1, 3) }) },
  { weight: 1, arbitrary: fc.record({ ...after, kind: fc.constant('crash' as const) }) },
)

/** A stepped model does not say what a request would hit. */
type Unasked = 'cachedTokens' | 'decodeSteps' | 'lastDecodeMs'
type Engine = Omit<VirtualEngine, Unasked> & Partial<Pick<VirtualEngine, Unasked>>

/** What an engine says of a script, times apart from the rest. */
interface Story {
  readonly said: string[]
  readonly times: number[]
}

/** One client of one engine: goes on with answers that it has, or has a part of, never with those that are still to come. */
class Player {
  readonly story: Story = { said: [], times: [] }
  private nowMs = 0.123_456
  private readonly prompts: VirtualRun[][] = []
  private readonly expected = new Map<number, number>()

  constructor(
    private readonly engine: Engine,
    private readonly kvTokens: number,
  ) {}

  play(actions: readonly Timed[]): Story {
    for (const action of actions) {
      this.nowMs += action.afterMs
      this.engine.advance(this.nowMs, this.events)
      this.act[action.kind](action as never)
    }
    for (let turns = 0; this.engine.nextMs < Infinity; turns++) {
      if (turns > 100_000) throw new Error('no end in sight')
      this.engine.advance(this.engine.nextMs, this.events)
    }
    this.say(JSON.stringify(this.engine.stats))
    return this.story
  }

  private readonly act: { [K in Action['kind']]: (action: Extract<Action, { kind: K }>) => void } = {
    submit: ({ runs, privateTokens, outputTokens, goesOn }) => {
      const promptRuns = [...(goesOn ? (this.prompts.at(-1) ?? []) : []), ...runs]
      const promptTokens = Math.max(1, tokensOf(promptRuns) + privateTokens)
      if (promptTokens + outputTokens > this.kvTokens) return
      const key = this.prompts.push([...promptRuns]) - 1
      this.engine.submit({ key, promptRuns, promptTokens, outputTokens, answerId: 1000 + key }, this.nowMs)
      if (privateTokens === 0 && tokensOf(promptRuns) > 0) this.expected.set(key, outputTokens)
    },
    cancel: ({ pick }) => {
      const key = pick % (this.prompts.length + 1)
      const isGone = this.engine.cancel(key, this.nowMs)
      this.say(`cancelled ${key}: ${isGone}`)
      if (isGone) this.keepAnswer(key, 1 + (pick % 40))
    },
    ask: ({ pick }) => {
      const asked = this.prompts[pick % (this.prompts.length + 1)] ?? []
      this.say(`asked: ${this.engine.cachedTokens?.(asked, tokensOf(asked) + 1)} cached, ${JSON.stringify(this.engine.stats)}`)
      this.say(`asked: ${this.engine.decodeSteps} decode steps`, this.engine.lastDecodeMs)
    },
    slow: ({ factor }) => this.engine.setSlowness(factor, this.nowMs),
    crash: () => this.say(`lost ${this.engine.crash(this.nowMs).join()}`),
  }

  private readonly events: VirtualEngineEvents = {
    firstToken: (key, atMs, cached) => this.say(`first ${key}, ${cached} cached`, atMs),
    finished: (key, atMs) => {
      this.say(`end ${key}`, atMs)
      this.keepAnswer(key, Infinity)
    },
    preempted: (key) => this.say(`preempted ${key}`),
  }

  private say(what: string, atMs = 0): void {
    this.story.said.push(what)
    this.story.times.push(atMs)
  }

  private keepAnswer(key: number, limit: number): void {
    const tokens = Math.min(this.expected.get(key) ?? 0, limit)
    if (tokens > 0) this.prompts[key]?.push({ id: 1000 + key, tokens })
  }
}

function expectAgreement(options: EngineModelOptions, actions: readonly Timed[]): void {
  const kvTokens = options.kvTokens ?? 0
  const fast = new Player(createVirtualEngine(options), kvTokens).play(actions)
  expectSame(fast, new Player(createReferenceEngine(options), kvTokens).play(actions))
  expectSame(withoutAnswers(fast), withoutAnswers(new Player(new SteppedEngine(options), kvTokens).play(actions)))
}

function expectSame(one: Story, other: Story): void {
  expect(one.said).toEqual(other.said)
  for (const [index, atMs] of other.times.entries()) expect(Math.abs((one.times[index] ?? 0) - atMs)).toBeLessThan(1e-6)
}

/** Steps tell of preemptions when they end, not when they begin. */
function withoutAnswers({ said, times }: Story): Story {
  const kept = [...said.keys()].filter((index) => !/^(?:asked|preempted)/u.test(said[index] ?? ''))
  return { said: kept.map((index) => said[index] ?? ''), times: kept.map((index) => times[index] ?? 0) }
}

describe('the engine in virtual time, the one of plugin-sim, and one that does all one by one agree', () => {
  it('in times, hits and preemptions with a cache that is too small', () => {
    const options = { preset: '3b-a10g', kvTokens: 40 * 16, maxNumSeqs: 6, maxNumBatchedTokens: 64 } as const
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => expectAgreement(options, actions)),
      { numRuns: 300 },
    )
  })

  it('with a queue, a large cache and long chunks', () => {
    const options = { preset: '8b-h100', kvTokens: 4096, maxNumSeqs: 3, maxNumBatchedTokens: 512 } as const
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => expectAgreement(options, actions)),
      { numRuns: 300 },
    )
  })

  it('with blocks of one token and a budget of one token more than sequences', () => {
    const options = { preset: '8b-a100', kvTokens: 300, blockTokens: 1, maxNumSeqs: 4, maxNumBatchedTokens: 5 } as const
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40, size: 'max' }), (actions) => expectAgreement(options, actions)),
      { numRuns: 100 },
    )
  })
})

function tokensOf(prompt: readonly VirtualRun[]): number {
  return prompt.reduce((sum, { tokens }) => sum + tokens, 0)
}
