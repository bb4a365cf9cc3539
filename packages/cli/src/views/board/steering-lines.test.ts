import { describe, expect, it } from 'vitest'
import type { PoolStatus, ResidencyStatus, ScaleStatus } from '@plimsoll/core'
import { clockTime } from '../units.js'
import { glyphsFor } from './glyphs.js'
import { SAMPLE_AT_MS, sampleNode, samplePool, sampleRollout } from './sample-status.test.fixture.js'
import { lineWidth, plainText } from './spans.js'
import { steeringLines } from './steering-lines.js'

const scale = (facts: Partial<ScaleStatus> = {}): ScaleStatus => ({
  pool: 'chat',
  group: 'gpu',
  replicas: 3,
  wanted: 3,
  min: 1,
  max: 4,
  follows: 'queue seconds',
  reason: 'queue of 2.1 s over 1.0 s',
  changedAtMs: null,
  ...facts,
})

const rest = (facts: Partial<ResidencyStatus> = {}): ResidencyStatus => ({
  pool: 'chat',
  state: 'resting',
  sinceMs: SAMPLE_AT_MS,
  waiting: 0,
  wakes: 0,
  reason: null,
  ...facts,
})

const drawn = (facts: Partial<PoolStatus>, width = 120): string[] =>
  steeringLines(samplePool('chat', [], facts), { width, glyphs: glyphsFor({ LANG: 'C.UTF-8' }), nowMs: SAMPLE_AT_MS }).map((line) => {
    expect(lineWidth(line)).toBeLessThanOrEqual(width)
    return plainText(line).trim()
  })

describe('the lines under a pool that changes by itself', () => {
  it('say how many nodes there are, and why', () => {
    expect(
      drawn({ scale: [scale(), scale({ group: 'cpu', replicas: 1, wanted: 2, follows: null, min: 2, max: 2, reason: 'asked by you' })] }),
    ).toEqual(['gpu  3 of 1-4 nodes: queue of 2.1 s over 1.0 s   follows queue seconds', 'cpu  1 node, 2 wanted: asked by you'])
  })

  it('say what goes wrong meanwhile', () => {
    const problems = ['trigger jobs: connection refused; it asks for nothing']
    expect(drawn({ scale: [scale({ problems })] })[1]).toBe('trigger jobs: connection refused; it asks for nothing')
  })

  it('say whether engines are in memory, and who waits for them', () => {
    const since = clockTime(SAMPLE_AT_MS)
    expect(drawn({ residency: rest({ reason: 'idle for 10 min' }) })).toEqual([`resting since ${since}   idle for 10 min`])
    expect(drawn({ residency: rest({ reason: 'rests' }) })).toEqual([`resting since ${since}`])
    expect(drawn({ residency: rest({ state: 'awake', reason: 'is awake after 2.1 s; 1 request waited' }) })).toEqual([
      `awake since ${since}, after 2.1 s; 1 request waited`,
    ])
    expect(drawn({ residency: rest({ state: 'going-to-rest', reason: 'goes to rest: asked by you' }) })).toEqual([
      `going to rest since ${since}, asked by you`,
    ])
    expect(drawn({ residency: rest({ state: 'making-room', waiting: 2, wakes: 1 }) })).toEqual([
      `making room since ${since}, 2 wait   woken once`,
    ])
    expect(drawn({ residency: rest({ state: 'waking', waiting: 1, wakes: 3 }) })).toEqual([
      `waking since ${since}, 1 waits   woken 3 times`,
    ])
  })

  it('say that a revision runs which the file does not declare, once no rollout is about it any more', () => {
    const nodes = [sampleNode('chat/gpu-r2-0', { revision: 'r2' }), sampleNode('chat/gpu-r2-1', { revision: 'r2' })]
    expect(drawn({ nodes })).toEqual(['runs r2, which the topology file does not declare   lb rollout history chat'])
    expect(drawn({ nodes, rollout: sampleRollout({ endedAtMs: SAMPLE_AT_MS }) })).toHaveLength(1)
    expect(drawn({ nodes, rollout: sampleRollout() })).toEqual([])
  })

  it('are none where nothing does, and cut where they do not fit', () => {
    expect(drawn({})).toEqual([])
    expect(drawn({ scale: [scale()] }, 20)).toHaveLength(1)
  })
})
