import { describe, expect, it } from 'vitest'
import { logTrace } from './log-trace.js'
import { isRequestLog, parseRequestLog } from './request-log.js'
import { traceWorkload } from './trace.js'
import type { WorkloadRequest } from '../workload.js'

const hash = (text: string): string => Buffer.from(text).toString('hex').padStart(13, '0').slice(-13)
const blocks = (...names: string[]): string[] => names.map(hash)

function record(more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    v: 1,
    id: 'r',
    arrivedAtMs: 1000,
    face: 'openai-chat',
    pool: 'chat',
    node: 'chat/a',
    outcome: 'ok',
    promptTokens: 200,
    completionTokens: 50,
    cachedTokens: null,
    ttftMs: 20,
    totalMs: 500,
    prefixHashes: blocks('a', 'b'),
    ...more,
  })
}

const parse = (lines: readonly string[], pool?: string) => parseRequestLog(Buffer.from(`${lines.join('\n')}\n`), 'log', pool)
const startsOf = (lines: readonly string[]): WorkloadRequest[] => [
  ...traceWorkload(logTrace('log', parse(lines).requests), { seed: 1 }).starts,
]
const tokensOf = (request: WorkloadRequest | undefined): number => (request?.prompt ?? []).reduce((sum, { tokens }) => sum + tokens, 0)

describe('a request log', () => {
  it('is told from CSV by its first character', () => {
    expect(isRequestLog(Buffer.from(`\n${record()}\n`))).toBe(true)
    expect(isRequestLog(Buffer.from('timestamp_ms,input_tokens\n'))).toBe(false)
    expect(isRequestLog(Buffer.from(''))).toBe(false)
  })

  it('sorts by arrival and leaves out what no engine answered or what is no generation', () => {
    const log = parse([
      record({ arrivedAtMs: 3000 }),
      record({ arrivedAtMs: 2000 }),
      record({ outcome: 'unavailable', completionTokens: 0 }),
      record({ face: 'openai-embeddings' }),
    ])
    expect(log.requests.map(({ arrivedAtMs }) => arrivedAtMs)).toEqual([2000, 3000])
    expect(log).toMatchObject({ pool: 'chat', leftOut: 2 })
  })

  it('wants to know which pool where there are several', () => {
    const lines = [record(), record({ pool: 'code' })]
    expect(() => parse(lines)).toThrow('log: has requests of several pools: chat, code')
    expect(parse(lines, 'code').requests).toHaveLength(1)
    expect(() => parse(lines, 'x')).toThrow('no answered request of pool x')
    expect(() => parse([record({ outcome: 'unavailable' })])).toThrow('no answered request')
  })

  it('names the line of what it cannot read, and forgives a last line that was cut', () => {
    expect(() => parse([record(), '{"v":1,'])).toThrow(/^log:2:\d+: is no JSON/)
    expect(() => parse([record({ v: 2 })])).toThrow('log:1: has v 2; this lb reads records of version 1')
    expect(() => parse([record({ promptTokens: 'x' })])).toThrow('log:1: promptTokens is "x"')
    expect(() => parse([record({ prefixHashes: ['zz'] })])).toThrow('log:1: prefixHashes')
    expect(() => parse(['[1]'])).toThrow('is no JSON object')
    expect(parseRequestLog(Buffer.from(`${record()}\n{"v":1,"id`), 'log').requests).toHaveLength(1)
  })

  it('shares what the hashes share, and keeps each prompt as long as it was', () => {
    const starts = startsOf([
      record({ promptTokens: 300, prefixHashes: blocks('a', 'b', 'c') }),
      record({ promptTokens: 280, prefixHashes: blocks('a', 'b', 'd') }),
      record({ promptTokens: 310, prefixHashes: blocks('x', 'y', 'z') }),
    ])
    expect(starts.map(tokensOf)).toEqual([300, 280, 310])
    expect(starts[1]?.prompt[0]).toEqual(starts[0]?.prompt[0])
    expect(starts[1]?.prompt[1]).not.toEqual(starts[0]?.prompt[1])
    expect(starts[2]?.prompt[0]).not.toEqual(starts[0]?.prompt[0])
  })

  it('takes a request that goes on from an answered one for the next turn', () => {
    const starts = startsOf([
      record({ arrivedAtMs: 1000, totalMs: 500, promptTokens: 200, completionTokens: 60, prefixHashes: blocks('a', 'b') }),
      record({ arrivedAtMs: 4500, totalMs: 700, promptTokens: 330, completionTokens: 40, prefixHashes: blocks('a', 'b', 'c', 'd') }),
      record({ arrivedAtMs: 9200, promptTokens: 450, prefixHashes: blocks('a', 'b', 'c', 'd', 'e') }),
    ])
    expect(starts).toHaveLength(1)
    const [first] = starts
    expect(first?.next?.atMs).toBe(3000)
    expect(first?.next?.next?.atMs).toBe(4000)
    expect([first, first?.next, first?.next?.next].map(tokensOf)).toEqual([200, 330, 450])
    expect(first?.next?.prompt.slice(0, first.prompt.length)).toEqual(first?.prompt)
    expect(first?.next?.prompt[first.prompt.length]).toEqual({ id: first?.answerId, tokens: 60 })
  })

  it('takes strangers with one system prompt for strangers', () => {
    const starts = startsOf([
      record({ arrivedAtMs: 1000, prefixHashes: blocks('sys', 'b') }),
      record({ arrivedAtMs: 5000, promptTokens: 400, prefixHashes: blocks('sys', 'c', 'd') }),
      record({ arrivedAtMs: 9000, promptTokens: 500, prefixHashes: blocks('sys', 'e', 'f') }),
    ])
    expect(starts).toHaveLength(3)
  })

  it('holds a conversation of thousands of turns', () => {
    const lines = Array.from({ length: 5000 }, (_, at) =>
      record({
        arrivedAtMs: at * 1000,
        promptTokens: 100 + at * 60,
        prefixHashes: blocks('a', ...Array.from({ length: Math.min(at, 200) }, (_each, block) => `b${block}`)),
      }),
    )
    const starts = startsOf(lines)
    let requests = 0
    for (const start of starts) for (let each: WorkloadRequest | undefined = start; each !== undefined; each = each.next) requests++
    expect(requests).toBe(5000)
  })
})
