import { gzipSync } from 'node:zlib'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseCsvTrace } from './csv-trace.js'
import { readTrace } from './read-trace.js'
import { traceWorkload } from './trace.js'
import { openSource } from './workload-source.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-traces-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const HEAD = 'timestamp_ms,input_tokens,output_tokens,hash_ids'
const parse = (...rows: string[]) => parseCsvTrace(Buffer.from([HEAD, ...rows].join('\n')), 't.csv')
const refusal = (...rows: string[]): string => {
  try {
    parse(...rows)
  } catch (error) {
    return String(error)
  }
  return 'was taken'
}

describe('a trace in CSV', () => {
  it('reads times, lengths and the blocks that prompts share', () => {
    const { rows, requests } = parse('100,1200,5,0-2', '100,1024,9,0 1', '400,600,1,7-8')
    expect(requests).toBe(3)
    expect(rows.map(({ atMs, outputTokens }) => [atMs, outputTokens])).toEqual([
      [0, 5],
      [0, 9],
      [300, 1],
    ])
    expect(rows[0]?.prompt).toEqual([
      { id: 1, tokens: 512 },
      { id: 2, tokens: 512 },
      { id: 3, tokens: 176 },
    ])
    expect(rows[1]?.prompt).toEqual(rows[0]?.prompt.slice(0, 2))
    expect(rows[2]?.prompt, 'what occurs once is one run').toEqual([{ id: 8, tokens: 600 }])
  })

  it('sorts rows, takes any order of columns, quotes, a byte order mark and lines of Windows', () => {
    const text = '\uFEFFoutput_tokens,timestamp_ms,note,input_tokens\r\n3,500,"a, b",10\r\n4,200,,20\r\n'
    const { rows } = parseCsvTrace(Buffer.from(text), 't.csv')
    expect(rows.map(({ atMs, outputTokens, prompt }) => [atMs, outputTokens, prompt[0]?.tokens])).toEqual([
      [0, 4, 20],
      [300, 3, 10],
    ])
  })

  it('names line and column of what is wrong', () => {
    expect(refusal('0,512,1,0', '5,x,1,0')).toContain('t.csv:3:3: input_tokens is "x", not a whole number of 1 or more')
    expect(refusal('0,512')).toContain('t.csv:2:6: the row ends before output_tokens')
    expect(refusal('-1,512,1,0')).toContain('t.csv:2:1: timestamp_ms is "-1"')
    expect(refusal('0,512,1.5,0')).toContain('t.csv:2:7: output_tokens is "1.5"')
    expect(refusal('0,513,1,0')).toContain('t.csv:2:9: hash_ids has 1 ids; 513 tokens are 2 blocks of 512')
    expect(refusal('0,512,1,0-99999999999')).toContain('hash_ids has more ids')
    expect(refusal('0,512,1,5-2')).toContain('"5-2", which is no id and no run')
    expect(refusal('0,1e300,1,0')).toContain('input_tokens is "1e300"')
    expect(() => parseCsvTrace(Buffer.from('a,b\n1,2\n'), 't.csv')).toThrow(
      't.csv:1:1: the header has no timestamp_ms, input_tokens, output_tokens; it has a, b',
    )
    expect(() => parseCsvTrace(Buffer.from(''), 't.csv')).toThrow('t.csv: the file is empty')
    expect(() => parseCsvTrace(Buffer.from(`${HEAD}\n`), 't.csv')).toThrow('no request')
  })

  it('is read from a file, compressed or not; a folder, nothing and garbage are plain errors', () => {
    const text = `${HEAD}\n0,512,1,0\n`
    writeFileSync(join(folder, 'a.csv'), text)
    writeFileSync(join(folder, 'a.csv.gz'), gzipSync(text))
    expect(readTrace(join(folder, 'a.csv')).rows).toEqual(readTrace(join(folder, 'a.csv.gz')).rows)
    writeFileSync(join(folder, 'cut.gz'), gzipSync(text).subarray(0, 20))
    expect(() => readTrace(join(folder, 'cut.gz'))).toThrow('cannot be read')
    expect(() => readTrace(folder)).toThrow('cannot be read')
    const none = join(folder, 'none.csv')
    expect(() => readTrace(none)).toThrow(`${none}: cannot be read: ENOENT: no such file or directory`)
    expect(() => readTrace(none), 'the path once').not.toThrow(/none\.csv.*none\.csv/)
  })

  it('is a workload whose summary does not say its name again', () => {
    const file = join(folder, 'b.csv')
    writeFileSync(file, `${HEAD}\n0,512,1,0\n9,512,1,0\n`)
    expect(openSource(file)).toMatchObject({ name: file, summary: 'a trace of 2 requests' })
  })

  it('spreads requests of one time inside the step of the clock, in their order, by seed', () => {
    const rows = ['0,10,1,0', '0,10,1,0', '0,10,1,0', '3000,10,1,0', '9000,10,1,0', '9000,10,1,0']
    const timesOf = (seed: number): number[] => Array.from(traceWorkload(parse(...rows), { seed }).starts, ({ atMs }) => atMs)
    const times = timesOf(1)
    expect(times[0]).toBe(0)
    expect(times.toSorted((one, other) => one - other)).toEqual(times)
    for (const time of times.slice(0, 3)) expect(time).toBeLessThan(3000)
    expect(timesOf(1)).toEqual(times)
    expect(timesOf(2)).not.toEqual(times)
  })

  it('gives a stretch of itself, and no more requests than asked for', () => {
    const trace = parse(...Array.from({ length: 10 }, (_, at) => `${at * 10},${at + 1},1,0`))
    const promptsOf = (options: { part?: readonly [number, number]; requests?: number }): (number | undefined)[] =>
      Array.from(traceWorkload(trace, { seed: 1, ...options }).starts, ({ prompt }) => prompt[0]?.tokens)
    expect(promptsOf({ part: [0.5, 1] })).toEqual([6, 7, 8, 9, 10])
    expect(promptsOf({ requests: 2 })).toEqual([1, 2])
    expect([...traceWorkload(trace, { seed: 1, part: [0.5, 1] }).starts][0]?.atMs).toBe(0)
  })
})

describe('the traces that come along', () => {
  it.each([
    ['mooncake', 12_031, 12_035, 343, 2.4],
    ['azure', 19_366, 1155, 211, 7.2],
    ['azure-code', 8819, 2048, 28, 12],
  ])('%s has its requests with their means', (name, requests, promptTokens, outputTokens, rate) => {
    const source = openSource(name)
    const starts = [...source.workload({ seed: 1 }).starts]
    expect(starts).toHaveLength(requests)
    const mean = (of: (start: (typeof starts)[number]) => number): number =>
      Math.round(starts.reduce((sum, start) => sum + of(start), 0) / requests)
    expect(mean((start) => start.prompt.reduce((sum, { tokens }) => sum + tokens, 0))).toBe(promptTokens)
    expect(mean((start) => start.outputTokens)).toBe(outputTokens)
    expect(source.ratePer8).toBe(rate)
  })

  it('mooncake shares what its ids say, in fewer runs', () => {
    const seen = new Set<string>()
    let [all, repeated, runs] = [0, 0, 0]
    for (const { prompt } of openSource('mooncake').workload({ seed: 1 }).starts) {
      runs += prompt.length
      let shared = true
      for (const { id, tokens } of prompt) {
        shared &&= seen.has(`${id}:${tokens}`)
        all += tokens
        if (shared) repeated += tokens
        seen.add(`${id}:${tokens}`)
      }
    }
    // 182,790 of 288,500 blocks are different ones.
    expect(repeated / all).toBeCloseTo(0.37, 2)
    expect(runs / 12_031).toBeLessThan(16)
  })
})
