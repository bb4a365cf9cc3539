import { describe, expect, it } from 'vitest'
import { boardRows } from './board.js'
import { glyphsFor } from './glyphs.js'
import { nodesInOrder } from './node-order.js'
import { sampleNode, samplePool, sampleStatus, SAMPLE_AT_MS } from './sample-status.test.fixture.js'
import { lineWidth, plainText } from './spans.js'

const UTF8 = glyphsFor({ LANG: 'C.UTF-8' })
const { pools } = sampleStatus()

function board(width: number, selected = 'chat/gpu-0'): string[] {
  return boardRows(pools, { width, glyphs: UTF8, nowMs: SAMPLE_AT_MS, selected }).map((row) => plainText(row.line))
}

describe('the board', () => {
  it('shows every column where there is room', () => {
    expect(
      board(120)[1]
        ?.trim()
        .split(/\s{2,}/),
    ).toEqual(['NODE', 'HOST', 'STATE', 'IN FLIGHT', 'WAIT', 'TTFT p50/p95', 'TOK/S', 'ERR', 'TPOT p50/p95', 'TOKENS', 'ENGINE'])
  })

  it('says of a pool how many stand in line, where some do', () => {
    const headOf = (inLine: number, waiting = 0): string => {
      const view = { width: 120, glyphs: UTF8, nowMs: SAMPLE_AT_MS }
      return plainText(
        boardRows([{ ...samplePool('demo', [sampleNode('demo/sim')]), inLine, retries: { inVain: 60, allowed: 60, waiting } }], view)[0]
          ?.line ?? [],
      )
    }
    expect(headOf(12)).toMatch(/waiting {2}12 in line/)
    expect(headOf(12, 3)).toMatch(/waiting {2}15 in line/)
    expect(headOf(0)).not.toContain('in line')
  })

  it('drops columns from the right as the terminal narrows', () => {
    expect(
      board(100)[1]
        ?.trim()
        .split(/\s{2,}/)
        .at(-1),
    ).toBe('TOKENS')
    expect(
      board(80)[1]
        ?.trim()
        .split(/\s{2,}/)
        .at(-1),
    ).toBe('ERR')
  })

  it('groups nodes by host, the name standing once', () => {
    const rows = board(120).filter((row) => row.includes('gpu-') || row.includes('laptop'))
    expect(rows.map((row) => row.slice(3, 17).trim())).toEqual(['gpu-0   here', 'gpu-1', 'gpu-2', 'gpu-3', 'laptop  lab'])
  })

  it('leaves the host column out when everything runs here', () => {
    const rows = boardRows([samplePool('demo', [sampleNode('demo/sim-0')])], { width: 120, glyphs: UTF8, nowMs: SAMPLE_AT_MS })
    expect(plainText(rows[1]?.line ?? [])).not.toContain('HOST')
  })

  it('says why a node serves nothing where its numbers would be', () => {
    expect(board(100).find((row) => row.includes('gpu-3'))).toContain('✕ failed    the process ended with code 137; next start in 8 s')
    expect(board(100).find((row) => row.includes('gpu-2'))).toContain('◔ loading   ██████░░░░ 62 %  12 s  1.4 of 2.2 GB')
  })

  it('says why a node that still serves is not ready, after the numbers that are about now', () => {
    expect(board(100).find((row) => row.includes('laptop'))).toMatch(/◐ draining +██?░* +2 +1 {2}asked by you$/)
  })

  it('marks the selected node', () => {
    expect(board(100, 'chat/gpu-1').filter((row) => row.startsWith(' ▸'))).toEqual([expect.stringContaining('gpu-1')])
  })

  it('folds pools into one line each below 72 columns, but for the one with the selection', () => {
    const rows = board(66, 'embed/cpu-0')
    expect(rows[0]).toContain('●◐●◔✕  2 of 5 ready  28 in flight')
    expect(rows.some((row) => row.includes('gpu-0'))).toBe(false)
    expect(rows.at(-1)).toContain('▸ cpu-0')
  })

  it('is a compact list below 60 columns, in the same order', () => {
    const rows = boardRows(pools, { width: 40, glyphs: UTF8, nowMs: SAMPLE_AT_MS, selected: 'chat/gpu-1' })
    expect(rows.flatMap((row) => row.nodeId ?? [])).toEqual(nodesInOrder(pools).map((node) => node.id))
    expect(plainText(rows[2]?.line ?? [])).toBe('▸ ● ready    gpu-1           12   142 ms')
  })

  it('is never wider than the terminal', () => {
    for (let width = 20; width <= 140; width += 1) {
      const rows = boardRows(pools, { width, glyphs: UTF8, nowMs: SAMPLE_AT_MS, selected: 'chat/gpu-0' })
      expect(Math.max(...rows.map((row) => lineWidth(row.line)))).toBeLessThanOrEqual(width)
    }
  })
})
