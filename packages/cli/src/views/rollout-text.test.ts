import { describe, expect, it } from 'vitest'
import { SAMPLE_AT_MS, samplePool, sampleNode, sampleRollout } from './board/sample-status.test.fixture.js'
import { rolloutEndText, rolloutEventText, rolloutProgressText } from './rollout-event-text.js'
import { rolloutScreen } from './rollout-screen.js'
import { compareText, newestOfEach, revisionsTable, rolloutText, rolloutsTable } from './rollout-text.js'
import { restConsequence, zeroConsequence } from './scale-text.js'

const OPTIONS = { nowMs: SAMPLE_AT_MS, env: { LANG: 'C.UTF-8' } }

describe('a rollout as text', () => {
  it('tells sides, steps, figures and what happened', () => {
    expect(rolloutText(sampleRollout(), OPTIONS))
      .toBe(`  chat-4   chat   canary   watched, step 2 of 4, 41 s left, 25 % of traffic, for 2 min

  old   r1  a31f0c22  qwen3-4b   chat/gpu-0 chat/gpu-1
  new   r2  9c02aa10  qwen3-4b   chat/gpu-2
  steps 5 %  [25 %]  50 %  100 %

  FIGURE  NEW     OLD     LIMIT           VERDICT  WORSE?
  errors  0.0 %   0.4 %   at most +1 %    good     62 % sure
  TTFT    148 ms  144 ms  at most x1.3    good     -
  empty   0.0 %   0.0 %   at most +0.5 %  good     -
  golden  12      -       all 12          good     -
  judged: 412 of the new, 1.2k of the old; healthy so far

  14:00:31  started
  14:02:12  step 2 of 4: 25 % of the traffic
`)
  })

  it('leaves out what was seen already', () => {
    const text = rolloutText(sampleRollout(), { ...OPTIONS, events: 0 })
    expect(text).not.toContain('started')
    expect(text).toMatch(/healthy so far\n$/)
    expect(rolloutText(sampleRollout(), { ...OPTIONS, events: 1 })).toMatch(/of the traffic\n$/)
    const judge = { verdict: 'bad', reason: 'it fails', canaryRequests: 3, baselineRequests: 4, figures: [] } as const
    expect(rolloutText(sampleRollout({ reason: 'it fails', judge }), OPTIONS).match(/it fails/g)).toHaveLength(1)
  })

  it('is made safe, whatever engines say', () => {
    const evil = sampleRollout({ reason: 'x\u001b]0;t\u0007', events: [{ atMs: SAMPLE_AT_MS, message: 'a\u202eb' }] })
    // oxlint-disable-next-line no-control-regex
    expect(rolloutText(evil, OPTIONS) + rolloutEventText(evil.events[0] ?? { atMs: 0, message: '' })).not.toMatch(/[\u0007\u001b\u202e]/)
  })

  it('is no wider than the terminal: text goes on below, tables are cut', () => {
    const reason = 'errors: 12 % of 160 failed, 0 % of 490 on the old revision (+1.8 % to +8.9 %; at most +1 %)'
    const lines = rolloutText(sampleRollout({ reason }), { ...OPTIONS, columns: 60 }).split('\n')
    expect(lines.filter((line) => line.length > 60)).toEqual([])
    expect(lines.slice(0, 4)).toEqual([
      '  chat-4   chat   canary   watched, step 2 of 4, 41 s',
      '    left, 25 % of traffic, for 2 min',
      '  errors: 12 % of 160 failed, 0 % of 490 on the old',
      '    revision (+1.8 % to +8.9 %; at most +1 %)',
    ])
    const table = rolloutsTable([sampleRollout()], { ...OPTIONS, columns: 60 })
    expect(table.split('\n').every((line) => line.length <= 60)).toBe(true)
  })

  it('fits the whole terminal while it is watched: the newest events, and how to leave', () => {
    const events = Array.from({ length: 40 }, (_, index) => ({ atMs: SAMPLE_AT_MS, message: `event ${index}` }))
    const drawn = rolloutScreen(sampleRollout({ events }), { nowMs: SAMPLE_AT_MS, columns: 80, rows: 24 })
    const lines = drawn.slice('\u001b[H'.length, -'\u001b[J'.length).split('\u001b[K\n')
    expect(lines.length).toBeLessThanOrEqual(24)
    expect(lines.at(-1)).toBe('  Ctrl-C leaves; the rollout goes on\u001b[K')
    expect(drawn).toContain('event 39')
    expect(drawn).not.toContain('event 12')
    expect(rolloutScreen(sampleRollout({ phase: 'paused' }), { nowMs: SAMPLE_AT_MS, columns: 80, rows: 24 })).toContain(
      'lb rollout resume chat',
    )
    const silence = 'its keeper is starting it again'
    expect(rolloutScreen(sampleRollout(), { nowMs: SAMPLE_AT_MS, columns: 80, rows: 24, silence })).toContain(`${silence}; waiting for it`)
    expect(rolloutScreen(sampleRollout({ events }), { nowMs: SAMPLE_AT_MS, columns: 20, rows: 5 }).split('\n').length).toBeLessThanOrEqual(
      5,
    )
  })

  it('fits a line where there are several', () => {
    const over = sampleRollout({ id: 'chat-3', phase: 'rolled-back', endedAtMs: SAMPLE_AT_MS - 60_000, reason: 'errors', share: 0 })
    const [head, first, second] = rolloutsTable([sampleRollout(), over], OPTIONS).split('\n')
    expect(newestOfEach([sampleRollout(), over, { ...over, pool: 'embed' }]).map(({ id, pool }) => `${pool} ${id}`)).toEqual([
      'chat chat-4',
      'embed chat-3',
    ])
    expect(head).toMatch(/^ROLLOUT {2}POOL {2}KIND/)
    expect(first).toMatch(/^chat-4 .* qwen3-4b a31f → 9c02 {2}watched, step 2 of 4, 41 s left {2}25 % .* 2 min/)
    expect(second).toMatch(/^chat-3 .* rolled back .* 60 s +errors$/)
  })
})

describe('both sides compared', () => {
  it('say so where nothing was seen yet', () => {
    expect(compareText({ verdict: 'undecided', reason: null, canaryRequests: 0, baselineRequests: 9, figures: [] })).toBe(
      '  judged: 0 of the new, 9 of the old; nothing was seen yet\n',
    )
  })
})

describe('revisions', () => {
  it('say what runs and what became of the others', () => {
    const entry = { pool: 'chat', group: 'gpu', model: 'm', firstSeenAtMs: SAMPLE_AT_MS }
    const text = revisionsTable(
      [
        { ...entry, revision: 'r2', hash: 'b', content: `sha256:${'0123456789'.repeat(6)}`, isRunning: false, outcome: 'rolled-back' },
        { ...entry, revision: 'r1', hash: 'a', content: null, firstSeenAtMs: SAMPLE_AT_MS - 86_400_000, isRunning: true, outcome: null },
      ],
      OPTIONS,
    )
    expect(text).toMatch(/r2 +b +gpu +m +sha256:0123456789012 +14:02:31 +rolled back\n/)
    expect(text).toMatch(/r1 +a +gpu +m +- +2026-01-01 14:02:31 +running, declared\n/)
  })
})

describe('a revision whose content nobody can tell', () => {
  it('says so, and why', () => {
    const entry = {
      pool: 'chat',
      group: 'gpu',
      model: 'm',
      firstSeenAtMs: SAMPLE_AT_MS,
      revision: 'r1',
      hash: 'a',
      isRunning: true,
      outcome: null,
    }
    const text = revisionsTable([{ ...entry, content: null, contentUnknown: 'box: there is no file /m.gguf' }], OPTIONS)
    expect(text).toMatch(/r1 +a +gpu +m +unknown +14:02:31/)
    expect(text).toMatch(/\nr1: its content is unknown: box: there is no file \/m.gguf\n$/)
  })
})

describe('a rollout that is waited for', () => {
  it('says how far it is', () => {
    expect(rolloutProgressText(sampleRollout(), SAMPLE_AT_MS)).toBe(
      '14:02:31  watched  step 2 of 4, 41 s left, 25 % of the traffic, healthy so far',
    )
    const fetching = sampleRollout({ phase: 'preparing', reason: 'fetches weights: 41 % of 16.2 GB' })
    expect(rolloutProgressText(fetching, SAMPLE_AT_MS)).toBe('14:02:31  preparing  fetches weights: 41 % of 16.2 GB')
  })
})

describe('the end of a rollout', () => {
  it.each([
    ['promoted', 'r2 of chat is live. lb rollout undo chat goes back to r1.'],
    ['rolled-back', 'r2 of chat was rolled back: why. lb rollout status chat shows the evidence.'],
    ['aborted', 'r2 of chat was taken back; r1 serves. lb rollout history chat lists both.'],
    ['failed', 'The rollout of chat failed: why. lb status shows its nodes.'],
    ['paused', 'lb rollout resume chat goes on; lb rollout abort chat takes it back.'],
    ['asking', 'It waits for you: lb rollout promote chat goes on, lb rollout abort chat takes it back.'],
    ['rolling-back', 'r1 of chat takes everything again. lb rollout watch chat looks on.'],
    ['holding', 'The rollout of chat goes on. lb rollout watch chat looks on; lb rollout abort chat takes it back.'],
  ] as const)('%s says what to do next', (phase, text) => {
    expect(rolloutEndText(sampleRollout({ phase, reason: 'why' }))).toBe(text)
  })
})

describe('a split', () => {
  it('stands, and says how both sides are compared', () => {
    const split = sampleRollout({ kind: 'split', steps: [0.4], step: 1, share: 0.4, stepEndsAtMs: null })
    expect(rolloutEndText(split)).toMatch(/^It stands\. lb rollout compare chat shows both sides/)
    expect(rolloutText(split, OPTIONS)).toMatch(/split {3}stands until it is promoted or aborted, 40 % of traffic/)
    const shadow = sampleRollout({ kind: 'shadow', steps: [0], step: 1, share: 0, stepEndsAtMs: null })
    expect(rolloutText(shadow, OPTIONS)).toMatch(/stands until it is promoted or aborted, copies of requests/)
    expect(rolloutText(shadow, OPTIONS)).not.toMatch(/steps/)
  })
})

describe('what is dangerous', () => {
  it('is to scale to nothing where no other node is left', () => {
    const pool = samplePool('chat', [sampleNode('chat/gpu-0'), sampleNode('chat/gpu-1')])
    expect(zeroConsequence(pool, undefined)).toMatch(/^Scale chat to 0\? 28 requests in flight end first; no node of it is left/)
    expect(zeroConsequence(pool, 'gpu')).toMatch(/no node of it is left/)
    const scale = {
      pool: 'chat',
      group: 'gpu',
      replicas: 2,
      wanted: 2,
      min: 0,
      max: 4,
      follows: 'queue of 1 s',
      reason: '',
      changedAtMs: null,
    }
    expect(zeroConsequence({ ...pool, scale: [scale] }, 'gpu')).toBeUndefined()
    expect(zeroConsequence(samplePool('chat', [...pool.nodes, sampleNode('chat/cpu')]), 'gpu')).toBeUndefined()
  })

  it('is to unload what works', () => {
    expect(restConsequence(samplePool('chat', [], { inFlight: 1 }))).toMatch(/^Unload chat\? 1 request in flight ends first/)
    expect(restConsequence(samplePool('chat', [], { inFlight: 0 }))).toBeUndefined()
  })
})
