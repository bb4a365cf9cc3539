import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../base/index.js'
import type { RosterNode } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import type { Admitted } from './admit.js'
import { Cooldowns } from './cooldowns.js'
import { areSpared, fittingNodes, leftOutBy, type Question } from './filters.js'
import { Parting } from './parting.js'

const speaks = openaiDialect()
const mute = { ...speaks, paths: {} }

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const node = fc.record({
  dialect: fc.constantFrom(speaks, speaks, speaks, mute),
  serves: optional(fc.subarray(['a', 'b', 'c'])),
  model: optional(fc.constantFrom('a', 'x')),
  contextTokens: optional(fc.constantFrom(100, 1_000, 10_000)),
  labels: optional(fc.constantFrom({ gpu: 'h100' }, { gpu: 'a100' }, {})),
  role: optional(fc.constantFrom('prefill' as const, 'decode' as const)),
  trial: fc.option(fc.nat(2), { nil: undefined, freq: 6 }),
  admission: fc.option(fc.constantFrom(0.1, 0.5, 0.9), { nil: undefined, freq: 6 }),
  inFlight: fc.nat(3),
})
const scene = fc.record({
  nodes: fc.array(node, { minLength: 1, maxLength: 12 }),
  model: fc.constantFrom('a', 'b', 'z'),
  neededTokens: fc.constantFrom(10, 500, 5_000, 50_000),
  wantsLabel: fc.boolean(),
  lot: fc.double({ min: 0, max: 0.999, noNaN: true }),
})

function sceneOf({ nodes, model, neededTokens, wantsLabel, lot }: typeof scene extends fc.Arbitrary<infer T> ? T : never) {
  const routable = nodes.map(
    (more, index) => ({ id: `p/n${index}`, index, connectionKey: `p/n${index}#1`, ...more }) as unknown as RosterNode,
  )
  const requiredLabels = wantsLabel ? [['gpu', 'h100'] as const] : undefined
  const request = { face: 'openai-chat', facts: { model }, neededTokens, requiredLabels } as unknown as Admitted
  const leases = { of: ({ index }: { index: number }) => ({ inFlight: nodes[index]?.inFlight ?? 0 }) } as unknown as Question['leases']
  const question: Question = { request, tried: [], cooldowns: new Cooldowns(), nowMs: () => 0, leases, luck: () => lot }
  return { routable, question, requiredLabels }
}

function full(index: number): RosterNode {
  return { id: `p/n${index}`, index, connectionKey: `p/n${index}#1`, dialect: speaks } as unknown as RosterNode
}

describe('the filters, over any nodes', () => {
  it('give the same answer by the short way as node by node', () => {
    fc.assert(
      fc.property(scene, (given) => {
        const { routable, question } = sceneOf(given)
        const stranger = { id: 'p/elsewhere' } as RosterNode
        expect(fittingNodes(routable, question)).toEqual(fittingNodes(routable, { ...question, tried: [stranger] }))
      }),
      { numRuns: 2_000 },
    )
  })

  it('leave somebody wherever somebody speaks the language and has the labels', () => {
    fc.assert(
      fc.property(scene, (given) => {
        const { routable, question, requiredLabels } = sceneOf(given)
        const able = routable.filter(
          ({ dialect, labels }) => dialect === speaks && (requiredLabels === undefined || labels?.['gpu'] === 'h100'),
        )
        const kept = fittingNodes(routable, question)
        expect(kept.length > 0).toBe(able.length > 0)
        expect(able).toEqual(expect.arrayContaining([...kept]))
      }),
      { numRuns: 2_000 },
    )
  })

  it('leave a busy node on trial to others, and a node that starts slowly to its share of requests, while others are left', () => {
    fc.assert(
      fc.property(scene, (given) => {
        const { routable, question } = sceneOf({
          ...given,
          wantsLabel: false,
          nodes: given.nodes.map((each) => ({ ...each, dialect: speaks })),
        })
        const kept = fittingNodes(routable, question)
        const isBusy = (each: RosterNode): boolean => each.trial !== undefined && question.leases.of(each).inFlight > each.trial
        expect(kept.every(isBusy) || !kept.some(isBusy)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('give a node that starts slowly its share of requests, evenly over nodes', () => {
    const routable = Array.from({ length: 8 }, (_, index) => ({ ...full(index), ...(index < 4 ? { admission: 0.2 } : {}) }))
    const counts = routable.map(() => 0)
    const random = seededRandom(3)
    for (let request = 0; request < 10_000; request += 1) {
      const { question } = sceneOf({ nodes: [], model: 'a', neededTokens: 10, wantsLabel: false, lot: random.next() })
      const kept = fittingNodes(routable, question)
      expect(areSpared(kept, question)).toBe(false)
      for (const each of kept) counts[each.index] = (counts[each.index] ?? 0) + 1
    }
    expect(counts.slice(4)).toEqual([10_000, 10_000, 10_000, 10_000])
    for (const count of counts.slice(0, 4)) expect(Math.abs(count - 2_000)).toBeLessThan(150)
  })

  it('send nobody to a revision without a share, and to no other than its own while a node of that is left', () => {
    const revisions = fc.array(fc.constantFrom('r1', 'r2', 'r3', undefined), { minLength: 12, maxLength: 12 })
    const shares = fc.tuple(fc.constantFrom(0, 0.5, 1), fc.constantFrom(0, 0.5, 1))
    fc.assert(
      fc.property(scene, revisions, shares, fc.boolean(), (given, runs, [one, other], hasFailed) => {
        const { routable, question } = sceneOf(given)
        const sides = [one, other, 0].map((share, at) => ({ revision: `r${at + 1}`, share }))
        const asker = { facts: { session: 's' }, client: undefined, headers: {} }
        const parting = new Parting({ sides, sticky: false, watch: true }, asker, seededRandom(1))
        if (hasFailed) parting.moveBack({ revision: 'r2' })
        const nodes = routable.map((each, at) => ({ ...each, ...(runs[at] === undefined ? {} : { revision: runs[at] }) }))
        const asked = { ...question, request: { ...question.request, parting } }
        const kept = fittingNodes(nodes, asked)
        expect(kept.some(({ revision }) => revision === 'r3' || (revision === 'r2' && other === 0))).toBe(false)
        const own = kept.filter((each) => parting.wants(each))
        expect([0, kept.length]).toContain(own.length)
        if (hasFailed) expect(parting.side).toBe('r1')
        expect(leftOutBy(nodes, kept, asked)).toHaveLength(nodes.length - kept.length)
      }),
      { numRuns: 2_000 },
    )
  })

  it('give a reason for each node that they leave out', () => {
    fc.assert(
      fc.property(scene, (given) => {
        const { routable, question } = sceneOf(given)
        const kept = fittingNodes(routable, question)
        const told = leftOutBy(routable, kept, question)
        expect(told.map(({ node: { id } }) => id)).toEqual(routable.filter((each) => !kept.includes(each)).map(({ id }) => id))
        expect(told.every(({ reason }) => reason !== '')).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
