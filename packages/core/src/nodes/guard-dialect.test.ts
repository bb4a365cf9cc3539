import { describe, expect, it } from 'vitest'
import type { Dialect } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { guardDialect } from './guard-dialect.js'

const fail = (): never => {
  throw new Error('no idea')
}
const shape = { chunkObject: 'c', textAt: 'text', template: '', contentType: 'application/json' } as const
const failing: Partial<Dialect> = {
  classify: fail,
  streamEnd: fail,
  isUnserved: fail,
  collect: { 'openai-chat': { ...shape, fits: fail } },
}
const nonsense = {
  classify: () => 'fine',
  streamEnd: () => null,
  isUnserved: () => 'yes',
  collect: { 'openai-chat': { ...shape, fits: () => 1 } },
}

describe('a dialect', () => {
  it.each([
    ['that throws', failing],
    ['that answers nonsense', nonsense as never],
  ])('%s never fails a request with it, and is told of once for each function', (_title, over: Partial<Dialect>) => {
    const slips: string[] = []
    const dialect = guardDialect(openaiDialect(over), (what) => slips.push(what))
    for (let count = 0; count < 3; count += 1) {
      expect([200, 404, 503].map((status) => dialect.classify(status, {}, ''))).toEqual(['ok', 'client', 'retry'])
      expect(dialect.streamEnd('data: [DONE]\n\n')).toBe('cut')
      expect(dialect.isUnserved?.('')).toBe(false)
      expect(dialect.collect?.['openai-chat']?.fits({} as never)).toBe(false)
    }
    expect(slips).toEqual(['classify', 'streamEnd', 'isUnserved', 'collect.fits'])
  })

  it('that works says what it said before', () => {
    const plain = openaiDialect()
    const dialect = guardDialect(plain, () => expect.fail('it slipped'))
    expect(dialect).toMatchObject({ paths: plain.paths, headers: plain.headers })
    expect(dialect.isUnserved).toBeUndefined()
    expect(dialect.classify(429, {}, '')).toBe('cooldown')
    expect(dialect.streamEnd('data: [DONE]\n\n')).toBe('complete')
  })

  it.each<[string, object]>([
    ['no texts', { exact: {} }],
    ['no JSON to set', { text: { 'openai-chat': { set: { a: 'b' } } } }],
    ['no name of a field', { text: {}, exact: { 'openai-chat': { ask: {}, field: '"', tokensOf: () => undefined } } }],
    [
      'no path',
      { text: {}, exact: { 'openai-chat': { ask: {}, field: 'ids', tokensOf: () => undefined, render: { path: 'x', field: 'y' } } } },
    ],
  ])('whose continuation has %s goes on with nothing, and is told of', (_, continuation) => {
    const told: string[] = []
    const guarded = guardDialect({ ...openaiDialect(), continuation: continuation as never }, (what) => void told.push(what))
    expect(guarded.continuation).toBeUndefined()
    expect(told).toEqual(['continuation'])
  })

  it.each<[string, () => never]>([
    ['throws', fail],
    ['answers nonsense', () => ({ ids: ['a'] }) as never],
  ])('that %s where ids are told knows none, and is told of once', (_, tokensOf) => {
    const told: string[] = []
    const continuation = { text: {}, exact: { 'openai-chat': { ask: {}, field: 'ids', tokensOf } } }
    const guarded = guardDialect({ ...openaiDialect(), continuation }, (what) => void told.push(what))
    for (let count = 0; count < 3; count += 1) expect(guarded.continuation?.exact?.['openai-chat']?.tokensOf([1])).toBeUndefined()
    expect(told).toEqual(['continuation.tokensOf'])
  })

  it.each([
    ['no JSON to ask with', { faces: ['openai-chat'], field: 'place', ask: '{' }],
    ['no field', { faces: ['openai-chat'], field: '', ask: '{}' }],
    ['no faces', { field: 'place', ask: '{}' }],
  ])('whose handover has %s hands nothing over, and is told of', (_, handover) => {
    const told: string[] = []
    const guarded = guardDialect({ ...openaiDialect(), handover: handover as never }, (what) => void told.push(what))
    expect(guarded.handover).toBeUndefined()
    expect(told).toEqual(['handover'])
    const whole = { faces: ['openai-chat'], field: 'place', ask: '{}' } as const
    expect(guardDialect({ ...openaiDialect(), handover: whole }, (what) => void told.push(what)).handover).toEqual(whole)
    expect(told).toHaveLength(1)
  })
})
