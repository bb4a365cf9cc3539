import { describe, expect, it } from 'vitest'
import type { Workload, WorkloadRequest } from '../workload.js'
import { meansOf } from './shape.js'
import { shapeWorkload } from './shape-workload.js'
import { namedShapes, type NamedShape } from './shapes.js'

const shapes = Object.entries<NamedShape>(namedShapes)

function allOf(workload: Workload): WorkloadRequest[] {
  const all: WorkloadRequest[] = []
  for (const start of workload.starts)
    for (let each: WorkloadRequest | undefined = start; each !== undefined; each = each.next) all.push(each)
  return all
}

function tokensOf(request: WorkloadRequest): number {
  return request.prompt.reduce((sum, { tokens }) => sum + tokens, 0)
}

function meanOf(requests: readonly WorkloadRequest[], of: (request: WorkloadRequest) => number): number {
  return requests.reduce((sum, request) => sum + of(request), 0) / requests.length
}

function draw(name: string, seed = 1, requests = 6000): Workload {
  const named = shapes.find(([known]) => known === name)?.[1] ?? namedShapes.agent
  return shapeWorkload(named.shape, { name, seed, requests, sessionsPerSecond: named.sessionsPerSecond })
}

describe('generated workloads', () => {
  it.each(shapes)(
    '%s: prompts, answers and the rate of sessions have the means that are declared',
    (name, { shape, sessionsPerSecond }) => {
      const means = meansOf(shape)
      const workload = draw(name, 3, 12_000)
      const all = allOf(workload)
      expect(all).toHaveLength(12_000)
      expect(meanOf(all, ({ outputTokens }) => outputTokens) / means.answerTokens).toBeCloseTo(1, 1)
      expect(Math.abs(meanOf(all, tokensOf) / means.promptTokens - 1)).toBeLessThan(0.1)
      const starts = [...workload.starts]
      expect(Math.abs(all.length / starts.length / means.requestsPerSession - 1)).toBeLessThan(0.1)
      const seconds = (starts.at(-1)?.atMs ?? 0) / 1000
      expect(Math.abs(starts.length / seconds / sessionsPerSecond - 1)).toBeLessThan(0.25)
    },
  )

  it.each(shapes)('%s: the same seed says the same twice, another seed something else', (name) => {
    const workload = draw(name, 5, 300)
    expect(allOf(workload)).toEqual(allOf(workload))
    expect(allOf(draw(name, 5, 300))).toEqual(allOf(workload))
    expect(allOf(draw(name, 6, 300))).not.toEqual(allOf(workload))
  })

  it.each(shapes)('%s: a later prompt is the one before, its answer and something new', (name) => {
    for (const request of allOf(draw(name, 2, 2000))) {
      if (request.next === undefined) continue
      const { prompt } = request.next
      expect(prompt.slice(0, request.prompt.length)).toEqual(request.prompt)
      expect(prompt[request.prompt.length]).toEqual({ id: request.answerId, tokens: request.outputTokens })
      expect(prompt).toHaveLength(request.prompt.length + 2)
      expect(request.next.session).toBe(request.session)
    }
  })

  it.each(shapes)('%s: runs have an id of one length, at least one token, and starts are in order', (name) => {
    const tokensOfId = new Map<number, number>()
    let lastMs = 0
    const workload = draw(name, 4, 3000)
    for (const { atMs } of workload.starts) {
      expect(atMs).toBeGreaterThanOrEqual(lastMs)
      lastMs = atMs
    }
    for (const { prompt, outputTokens } of allOf(workload)) {
      expect(outputTokens).toBeGreaterThanOrEqual(1)
      for (const { id, tokens } of prompt) {
        expect(tokens).toBeGreaterThanOrEqual(1)
        expect(tokensOfId.get(id) ?? tokens).toBe(tokens)
        tokensOfId.set(id, tokens)
      }
    }
  })

  it('uses as many heads as it declares, the first ones most', () => {
    const uses = new Map<number, number>()
    for (const { prompt } of allOf(draw('tenant', 1, 8000))) uses.set(prompt[0]?.id ?? 0, (uses.get(prompt[0]?.id ?? 0) ?? 0) + 1)
    expect(uses.size).toBe(200)
    const sorted = [...uses.values()].sort((one, other) => other - one)
    // Zipf of skew 0.92 over 200: the first has 14 % of all uses.
    const { skew } = namedShapes.tenant.shape.heads
    const weights = Array.from({ length: 200 }, (_, at) => (at + 1) ** -skew)
    const share = 1 / weights.reduce((sum, weight) => sum + weight, 0)
    expect((sorted[0] ?? 0) / 8000).toBeCloseTo(share, 2)
  })

  it('comes in bursts where it says so', () => {
    const gaps = (name: string): number => {
      const times = Array.from(draw(name, 1, 5000).starts, ({ atMs }) => atMs)
      const between = times.slice(1).map((time, at) => time - (times[at] ?? 0))
      const mean = between.reduce((sum, gap) => sum + gap, 0) / between.length
      return Math.sqrt(between.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / between.length) / mean
    }
    expect(gaps('tenant')).toBeCloseTo(1, 1)
    expect(gaps('bursty')).toBeGreaterThan(1.9)
  })

  it('ends the last session where the requests end', () => {
    expect(allOf(draw('chat', 1, 7))).toHaveLength(7)
    expect(allOf(draw('agent', 1, 1))).toHaveLength(1)
  })
})
