import { describe, expect, it } from 'vitest'
import { sampleNode, samplePool, sampleStatus, SAMPLE_AT_MS } from './board/sample-status.test.fixture.js'
import { renderSnapshot } from './snapshot.js'

const OPTIONS = { nowMs: SAMPLE_AT_MS, env: { LANG: 'C.UTF-8' } }

describe('renderSnapshot', () => {
  it('shows the balancer, its pools and nodes as plain text', () => {
    const lines = renderSnapshot(sampleStatus(), { ...OPTIONS, columns: 100 }).split('\n')
    expect(lines[0]).toBe(' support-bot  ● serving  http://127.0.0.1:8484      42 req/s   3.1k tok/s   p95 TTFT 212 ms   14:02')
    expect(lines.filter((line) => / (gpu-\d|laptop|cpu-0) /.test(line))).toHaveLength(6)
    expect(lines.at(-1)).toBe('')
  })

  it('sends no escape sequence, whatever engines say', () => {
    const evil = sampleNode('demo/\u001b[31mred', { state: 'failed', inFlight: 0, reason: 'x\u001b]0;t\u0007\u202e' })
    const text = renderSnapshot(sampleStatus({ name: 'a\u009bb', pools: [samplePool('demo', [evil])] }), { ...OPTIONS, columns: 120 })
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(text).toContain('x\\e]0;t\\x07\\u202e')
  })

  it('tells whole, below the board, why nodes are in trouble, with the last lines of their logs', () => {
    const reason = `exited with code 1: the memory of its GPU is full; give it another GPU, a smaller context or a smaller quantisation; ${'and so on '.repeat(5)}`
    const failed = sampleNode('demo/a', { state: 'failed', inFlight: 0, reason, lastLines: ['loading', 'CUDA out of memory'] })
    const warned = sampleNode('demo/b', { warnings: ['no token is set; a gated model would be refused'] })
    const text = renderSnapshot(sampleStatus({ pools: [samplePool('demo', [failed, warned])] }), { ...OPTIONS, columns: 80 })
    expect(text.replaceAll(/\n {3}(?!\|)/g, ' ')).toContain(` demo/a: ${reason.trim()}`)
    expect(text).toContain('   | loading\n   | CUDA out of memory\n')
    expect(text).toContain(' demo/b: no token is set')
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('is pure ASCII where the locale is', () => {
    // oxlint-disable-next-line no-control-regex
    expect(renderSnapshot(sampleStatus(), { ...OPTIONS, env: { LANG: 'C' } })).toMatch(/^[\u0000-\u007f]*$/)
  })
})
