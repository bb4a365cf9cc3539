import { describe, expect, it } from 'vitest'
import type { ScaleTrigger } from '../topology/index.js'
import { numberIn, urlOf } from './read-number.js'

const trigger = (more: Partial<ScaleTrigger>): ScaleTrigger => ({ name: 'jobs', kind: 'url', perReplica: 1, everyMs: 1_000, ...more })
const prometheus = trigger({ kind: 'prometheus', url: 'http://metrics:9090/', query: 'sum(rate(jobs[1m]))' })
const answer = (data: unknown): string => JSON.stringify({ status: 'success', data })

describe('the number of a trigger', () => {
  it('is the whole answer of a URL, or what stands at a path', () => {
    expect(numberIn(' 12.5\n', trigger({}))).toBe(12.5)
    expect(numberIn('{"result":[{"value":"7"}]}', trigger({ path: 'result.0.value' }))).toBe(7)
    expect(numberIn('{"depth":3}', trigger({ path: 'depth' }))).toBe(3)
  })

  it('is the one sample of an instant query; nothing counted is 0', () => {
    expect(numberIn(answer({ resultType: 'vector', result: [{ metric: {}, value: [1, '42'] }] }), prometheus)).toBe(42)
    expect(numberIn(answer({ resultType: 'scalar', result: [1, '5'] }), prometheus)).toBe(5)
    expect(numberIn(answer({ resultType: 'vector', result: [] }), prometheus)).toBe(0)
  })

  it('is nothing where the answer is none, and the error says what is there', () => {
    for (const [text, asked, message] of [
      ['', trigger({}), /the answer is no number: ""/],
      ['soon', trigger({}), /no number: "soon"/],
      ['{"a":" "}', trigger({ path: 'a' }), /a is no number: " "/],
      ['{"a":1e400}', trigger({ path: 'a' }), /a is no number/],
      ['<html>', trigger({ path: 'a' }), /the answer is no JSON: "<html>"/],
      ['<html>', prometheus, /the answer is no JSON: "<html>"/],
      ['{"a":1}', trigger({ path: 'b.c' }), /b.c is no number: nothing/],
      ['{"status":"error","error":"bad query"}', prometheus, /the query failed: bad query/],
      [answer({ resultType: 'matrix', result: [] }), prometheus, /matrix/],
      [answer({ resultType: 'vector', result: [{}, {}] }), prometheus, /2 series.*sum\(\)/],
      [answer({ resultType: 'vector', result: [{ value: [1, 'NaN'] }] }), prometheus, /no number: "NaN"/],
    ] as const)
      expect(() => numberIn(text, asked)).toThrow(message)
  })

  it('is asked for at the API of Prometheus, with the query', () => {
    expect(urlOf(prometheus)).toBe('http://metrics:9090/api/v1/query?query=sum%28rate%28jobs%5B1m%5D%29%29')
    expect(urlOf(trigger({ url: 'http://jobs/depth' }))).toBe('http://jobs/depth')
    expect(urlOf(trigger({ kind: 'gpu' }))).toBeUndefined()
  })
})
