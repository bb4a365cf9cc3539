import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RosterNode } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import type { Admitted } from './admit.js'
import { Cooldowns } from './cooldowns.js'
import { fittingNodes, leftOutBy, type Question } from './filters.js'

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
})
const scene = fc.record({
  nodes: fc.array(node, { minLength: 1, maxLength: 12 }),
  model: fc.constantFrom('a', 'b', 'z'),
  neededTokens: fc.constantFrom(10, 500, 5_000, 50_000),
  wantsLabel: fc.boolean(),
})

function sceneOf({ nodes, model, neededTokens, wantsLabel }: typeof scene extends fc.Arbitrary<infer T> ? T : never) {
  const routable = nodes.map((more, index) => ({ id: `p/n${index}`, connectionKey: `p/n${index}#1`, ...more }) as unknown as RosterNode)
  const requiredLabels = wantsLabel ? [['gpu', 'h100'] as const] : undefined
  const request = { face: 'openai-chat', facts: { model }, neededTokens, requiredLabels } as unknown as Admitted
  const question: Question = { request, tried: [], cooldowns: new Cooldowns(), nowMs: () => 0 }
  return { routable, question, requiredLabels }
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
