import { describe, expect, it } from 'vitest'
import type { PoolStatus, RolloutStatus } from '@plimsoll/core'
import { glyphsFor } from './glyphs.js'
import { rolloutRows } from './rollout-rows.js'
import { SAMPLE_AT_MS, sampleRollout, sampleStatus } from './sample-status.test.fixture.js'
import { lineWidth, plainText } from './spans.js'

const UTF8 = glyphsFor({ LANG: 'C.UTF-8' })

function drawn(rollout: RolloutStatus, width = 120, glyphs = UTF8): string[] {
  const pools = sampleStatus().pools.map((pool): PoolStatus => (pool.name === 'chat' ? { ...pool, rollout } : pool))
  return rolloutRows(pools, { width, glyphs, nowMs: SAMPLE_AT_MS }).map(({ line }) => {
    expect(lineWidth(line)).toBeLessThanOrEqual(width)
    return plainText(line).trimEnd()
  })
}

const judge = (sampleRollout().judge ?? { figures: [] }) as NonNullable<RolloutStatus['judge']>

describe('the strip of a rollout', () => {
  it('shows old and new, the share, the step, the time left and the figures with their limits', () => {
    expect(drawn(sampleRollout())).toEqual([
      '',
      ' rollout chat  qwen3-4b a31f → 9c02  ●● → ◔   canary 25 %  ███░░░░░░░  step 2 of 4, 41 s left',
      '         errors 0.0 % vs 0.4 % (at most +1 %)    TTFT 148 vs 144 ms (at most x1.3)',
      '         empty 0.0 % vs 0.0 % (at most +0.5 %)    golden 12 (all 12)',
      '         healthy so far',
    ])
  })

  it('marks what is over its limit with a sign, and says what a person may do', () => {
    const [errors, ...others] = judge.figures
    const bad = errors === undefined ? [] : [{ ...errors, canary: 0.051, verdict: 'bad' as const }]
    const reason = '5.1 % of requests failed, 0.4 % of the old revision'
    const lines = drawn(sampleRollout({ phase: 'asking', judge: { ...judge, verdict: 'bad', reason, figures: [...bad, ...others] } }))
    expect(lines[1]).toContain('waits for you, step 2 of 4')
    expect(lines.join('\n')).toContain('✕ errors 5.1 % vs 0.4 % (at most +1 %)')
    expect(lines.join('\n').replaceAll(/\n */g, ' ')).toMatch(
      new RegExp(`${reason}; lb rollout promote goes on, lb rollout abort takes it back$`),
    )
  })

  it('names both models where they differ', () => {
    expect(drawn(sampleRollout({ to: { ...sampleRollout().to, model: 'qwen3-8b' } }))[1]).toContain('qwen3-4b a31f → qwen3-8b 9c02')
  })

  it('loses node signs, then the bar, then all but one line on narrow terminals, and is never too wide', () => {
    for (let width = 20; width <= 160; width += 1) expect(drawn(sampleRollout(), width).length).toBeGreaterThan(1)
    expect(drawn(sampleRollout(), 85)[1]).toBe(' rollout chat  qwen3-4b a31f → 9c02   canary 25 %  ███░░░░░░░  step 2 of 4, 41 s left')
    expect(drawn(sampleRollout(), 80)[1]).toBe(' rollout chat  qwen3-4b a31f → 9c02   canary 25 %  step 2 of 4, 41 s left')
    expect(drawn(sampleRollout(), 71)[1]).toBe(' rollout chat  a31f → 9c02   canary 25 %  step 2 of 4, 41 s left')
    expect(drawn(sampleRollout(), 59)).toEqual(['', ' rollout chat canary 25 % step 2 of 4, 41 s left'])
  })

  it('leaves limits out where many figures would take too many lines, but not those that are broken', () => {
    const many = Array.from({ length: 12 }, (_, index) => ({
      ...judge.figures[0],
      name: `metric-${index}`,
      verdict: index === 0 ? 'bad' : 'good',
    }))
    const lines = drawn(sampleRollout({ judge: { ...judge, figures: many as never } }), 100)
    expect(lines).toHaveLength(1 + 1 + 3 + 1)
    expect(lines.join('\n').match(/at most/g)).toHaveLength(1)
  })

  it('stays a while after the end, then leaves', () => {
    const over = { phase: 'rolled-back', stepEndsAtMs: null, reason: 'TTFT x1.6 of the old revision' } as const
    expect(drawn(sampleRollout({ ...over, endedAtMs: SAMPLE_AT_MS - 60_000 }))).toEqual([
      '',
      ' rollout chat  qwen3-4b a31f → 9c02   canary  rolled back at 14:01:31',
      '         TTFT x1.6 of the old revision',
    ])
    expect(drawn(sampleRollout({ ...over, endedAtMs: SAMPLE_AT_MS }), 50)).toEqual(['', ' rollout chat canary rolled back'])
    expect(drawn(sampleRollout({ ...over, endedAtMs: SAMPLE_AT_MS - 3_600_000 }))).toEqual([])
    expect(rolloutRows(sampleStatus().pools, { width: 100, glyphs: UTF8, nowMs: SAMPLE_AT_MS })).toEqual([])
  })

  it('says that a split or a shadow stands, and no share of copies', () => {
    const lasts = { step: 1, steps: [0], share: 0, stepEndsAtMs: null } as const
    expect(drawn(sampleRollout({ ...lasts, kind: 'shadow' }))[1]).toBe(
      ' rollout chat  qwen3-4b a31f → 9c02  ●● → ◔   shadow  stands until it is promoted or aborted',
    )
    expect(drawn(sampleRollout({ ...lasts, kind: 'split', steps: [0.4], share: 0.4 }))[1]).toContain('split 40 %  ████░░░░░░  stands until')
  })

  it('is pure ASCII where the locale is', () => {
    // oxlint-disable-next-line no-control-regex
    expect(drawn(sampleRollout(), 120, glyphsFor({ LANG: 'C' })).join('\n')).toMatch(/^[\u0000-\u007f]*$/)
  })
})
