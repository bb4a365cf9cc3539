import { describe, expect, it } from 'vitest'
import { parseMetrics } from './metrics-text.js'

const one = (line: string) => parseMetrics(line)[0]

describe('a Prometheus text page', () => {
  it.each([
    ['up 1', 'up', {}, 1],
    ['vllm:num_requests_running{engine="0",model_name="a"} 3.0', 'vllm:num_requests_running', { engine: '0', model_name: 'a' }, 3],
    ['a{b="c",} 4 1700000000000', 'a', { b: 'c' }, 4],
    ['  a { b = "c" , d = "" }  1e3', 'a', { b: 'c', d: '' }, 1000],
    ['a{b="},\\"x\\\\\\n"} 0', 'a', { b: '},"x\\\n' }, 0],
    ['a{} +Inf', 'a', {}, Infinity],
    ['a -Inf', 'a', {}, -Infinity],
    ['a NaN', 'a', {}, Number.NaN],
    ['a 5\r', 'a', {}, 5],
    ['a_total 7 # {trace_id="x"} 1', 'a_total', {}, 7],
  ])('reads %j', (line, name, labels, value) => {
    expect(one(line)).toEqual({ name, labels, value })
  })

  it.each(['', '# HELP a b', 'a', 'a{', 'a{b="c', 'a{b="c"', 'a{b=c} 1', 'a{b="c"}', 'a x', '1a 2', '{} 1', '<html>', 'a 0x'])(
    'passes over %j',
    (line) => {
      expect(parseMetrics(`${line}\nnext 1`).filter(({ name }) => name !== 'next')).toEqual([])
      expect(parseMetrics(`${line}\nnext 1`).at(-1)?.name).toBe('next')
    },
  )

  it('takes no more than it should from a page without an end', () => {
    expect(parseMetrics('a 1\n'.repeat(60_000))).toHaveLength(50_000)
    expect(parseMetrics(`a{b="${'x'.repeat(70_000)}"} 1\nc 2`)).toEqual([{ name: 'c', labels: {}, value: 2 }])
  })

  it('passes over names that nobody asked for', () => {
    expect(parseMetrics('a 1\nb 2\na 3', (name) => name === 'a').map(({ value }) => value)).toEqual([1, 3])
  })

  it('is not slow at labels made to be so', () => {
    const started = performance.now()
    parseMetrics(`a{${'b="\\\\\\"",'.repeat(5_000)} 1`)
    parseMetrics(`a{${' '.repeat(60_000)}`)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
