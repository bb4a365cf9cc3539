import { describe, expect, it } from 'vitest'
import type { AttemptRecord, RequestRecord, ShadowAnswer } from '../../contracts/index.js'
import { settledRecord } from '../settled-record.test.fixture.js'
import { samplesOf, samplesOfPair } from './judge-sample.js'

const sides = { old: 'r1', new: 'r2' }
const attempt = (more: Partial<AttemptRecord>): AttemptRecord => ({
  node: 'chat/a',
  startedMs: 10,
  outcome: 'answered',
  revision: 'r2',
  ...more,
})

const times = { arrivedAtMs: 1_000, ttftMs: 110, totalMs: 910 }
const tokens = { promptTokens: 500, cachedTokens: 200, completionTokens: 41 }
const record = (more: Partial<RequestRecord>): RequestRecord => settledRecord(attempt({}), { ...times, ...tokens, ...more })

describe('what a request says of the two sides', () => {
  it('is the times of the node that answered, from when it was asked', () => {
    expect(samplesOf(record({}), sides)).toEqual([
      {
        side: 'canary',
        node: 'chat/a',
        startedAtMs: 1_010,
        endedAtMs: 1_910,
        failed: false,
        refused: false,
        ttftMs: 100,
        computedTokens: 300,
        tpotMs: 20,
        wholeMs: null,
        completionTokens: 41,
      },
    ])
  })

  it('is a failure of the canary where the old revision answered in its place', () => {
    const attempts = [attempt({ outcome: 'refused', status: 500 }), attempt({ revision: 'r1', startedMs: 60 })]
    expect(samplesOf(record({ attempts }), sides)).toMatchObject([{ side: 'canary', failed: true, ttftMs: null, completionTokens: null }])
  })

  it('is no failure, but an empty answer, where the text was looked at and another node asked', () => {
    const quality = { chars: 0, isEmpty: true, isRepeating: false }
    const attempts = [attempt({ outcome: 'refused', status: 200, quality }), attempt({ revision: 'r1' })]
    expect(samplesOf(record({ attempts }), sides)).toMatchObject([{ side: 'canary', failed: false, quality, ttftMs: null }])
  })

  it.each<[string, Partial<RequestRecord>]>([
    ['what lb refused while a node answered', { outcome: 'client-error', status: 400, errorCode: 'LB_X' }],
    ['a client that left', { outcome: 'client-gone', attempts: [attempt({ outcome: 'cancelled' })] }],
    ['a node that asked for a pause', { outcome: 'unavailable', attempts: [attempt({ outcome: 'refused', busy: true })] }],
    ['a third revision', { attempts: [attempt({ revision: 'r7' })] }],
    ['a prompt that was computed for another node', { attempts: [attempt({ leg: 'prefill' })] }],
    ['a request that reached no node', { attempts: [], outcome: 'unavailable' }],
  ])('is nothing for %s', (_, more) => {
    expect(samplesOf(record(more), sides)).toEqual([])
  })

  it('is a refusal where the node calls the request wrong, also where the old revision then took it', () => {
    expect(samplesOf(record({ outcome: 'client-error', status: 400 }), sides)).toMatchObject([
      { failed: false, refused: true, ttftMs: null },
    ])
    const attempts = [attempt({ outcome: 'refused', status: 404 }), attempt({ revision: 'r1' })]
    expect(samplesOf(record({ attempts }), sides)).toMatchObject([{ side: 'canary', failed: false, refused: true }])
  })

  it('has no times for what waited in line', () => {
    expect(samplesOf(record({ inLineMs: 5 }), sides)).toMatchObject([{ failed: false, ttftMs: null, tpotMs: null, completionTokens: 41 }])
  })

  it('is one time for an answer that came in one piece', () => {
    expect(samplesOf(record({ stream: false, ttftMs: null }), sides)).toMatchObject([{ ttftMs: null, tpotMs: null, wholeMs: 900 }])
  })

  it.each(['connect-failed', 'reset', 'timeout', 'hung', 'cut'] as const)('is a failure for a try that ended as %s', (outcome) => {
    expect(samplesOf(record({ outcome: 'cut', attempts: [attempt({ outcome })] }), sides)).toMatchObject([{ side: 'canary', failed: true }])
  })

  it('takes nodes without a revision for the old one', () => {
    const { revision: _, ...plain } = attempt({})
    expect(samplesOf(record({ attempts: [plain] }), sides)).toMatchObject([{ side: 'baseline' }])
  })

  it('knows the tokens to compute from lb where the engine does not say, and says nothing of long prompts where nobody knows', () => {
    const tokens = (more: Partial<RequestRecord>) => samplesOf(record({ cachedTokens: null, ...more }), sides)[0]?.computedTokens
    expect(tokens({ believed: { promptTokens: 500, cachedTokens: 400 } })).toBe(100)
    expect(tokens({})).toBeNull()
    expect(tokens({ promptTokens: 40 })).toBe(40)
  })

  it('is the second try where the first says nothing of its node', () => {
    const attempts = [attempt({ outcome: 'refused', busy: true, revision: 'r1' }), attempt({ startedMs: 60 })]
    expect(samplesOf(record({ attempts }), sides)).toMatchObject([{ side: 'canary', ttftMs: 50 }])
  })

  it('has no pace for answers of a few tokens', () => {
    expect(samplesOf(record({ completionTokens: 5 }), sides)[0]?.tpotMs).toBeNull()
  })
})

describe('what a request and its copy say', () => {
  const whole: ShadowAnswer = { node: 'chat/a', status: 200, failure: null, ttftMs: 100, totalMs: 900, completionTokens: 41, quality: null }
  const pair = (main: Partial<ShadowAnswer>, copy: Partial<ShadowAnswer>) =>
    samplesOfPair({
      id: 'x',
      pool: 'chat',
      revision: 'r2',
      main: { ...whole, ...main },
      copy: { ...whole, ...copy },
      sameText: false,
      similarity: null,
    })

  it('is one sample for each, without the tokens that had to be computed', () => {
    const sample = { failed: false, ttftMs: 100, computedTokens: null, tpotMs: 20, completionTokens: 41 }
    expect(pair({}, {})).toMatchObject([
      { side: 'baseline', ...sample },
      { side: 'canary', ...sample },
    ])
  })

  it('is a failure of the copy alone where only that failed, and nothing where no node was asked', () => {
    expect(pair({}, { status: 500, failure: '500' })).toMatchObject([{ failed: false }, { side: 'canary', failed: true, ttftMs: null }])
    expect(pair({ status: 0, failure: 'no node' }, {})).toEqual([])
  })
})
