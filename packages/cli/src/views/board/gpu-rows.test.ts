import { describe, expect, it } from 'vitest'
import { boardRows } from './board.js'
import { glyphsFor } from './glyphs.js'
import { gpuRows } from './gpu-rows.js'
import { sampleGpu, sampleNode, samplePool, SAMPLE_AT_MS } from './sample-status.test.fixture.js'
import { lineWidth, plainText } from './spans.js'

const view = { width: 120, glyphs: glyphsFor({ LANG: 'C.UTF-8' }), nowMs: SAMPLE_AT_MS }
const gpus = [
  sampleGpu(0, { nodes: ['chat/gpu-0'] }),
  sampleGpu(1, { heldBy: ['other/chat/gpu'], utilization: null, memFreeMiB: null, temperatureC: null }),
]
const text = (machine: Parameters<typeof gpuRows>[0], width = 120) => gpuRows(machine, { ...view, width }).map((row) => plainText(row.line))

describe('the GPUs under the board', () => {
  it('tell load, memory, temperature, and whose they are; what is unknown is no zero', () => {
    expect(text({ gpus, gpuProblems: [] })).toEqual([
      '',
      ' GPUs',
      '   0    NVIDIA H100 80GB HBM3  ██████████  98 %      71 of 80 GiB used   61 °C  chat/gpu-0',
      `   1    NVIDIA H100 80GB HBM3  ${' '.repeat(10)}     -  ${' '.repeat(20)}-  ${' '.repeat(5)}-  other/chat/gpu`,
    ])
  })

  it('say what is wrong with a tool, since when figures are old, and what is broken', () => {
    const old = sampleGpu(0, { seenAtMs: SAMPLE_AT_MS - 60_000 })
    const lines = text({
      gpus: [old, sampleGpu(1, { broken: 'GPU is lost' })],
      gpuProblems: [{ tool: 'nvidia-smi', message: 'nvidia-smi hangs', hint: 'reboot' }],
    })
    expect(lines[2]).toContain('as of 14:01:31')
    expect(lines[3]).toMatch(/GPU is lost$/)
    expect(lines[4]).toBe(' ! nvidia-smi hangs; reboot')
  })

  it('take no room where there are none, or none is left', () => {
    expect(text({ gpus: [], gpuProblems: [] })).toEqual([])
    expect(text({ gpus, gpuProblems: [] }, 50)).toEqual([])
    for (let width = 60; width <= 140; width += 1)
      for (const row of gpuRows({ gpus, gpuProblems: [] }, { ...view, width })) expect(lineWidth(row.line)).toBeLessThanOrEqual(width)
  })

  it('stand in a column beside their nodes', () => {
    const pool = samplePool('chat', [
      sampleNode('chat/gpu-0', { gpus: ['GPU-0'] }),
      sampleNode('chat/two', { gpus: ['GPU-0', 'GPU-1'] }),
      sampleNode('chat/cpu', { gpus: [] }),
    ])
    const rows = boardRows([pool], { ...view, gpus }).map((row) => plainText(row.line))
    const at = rows[1]?.indexOf('GPU') ?? -1
    expect(rows.slice(2).map((row) => row.slice(at, at + 10).trim())).toEqual(['0  98 %', '0,1  98 %', '-'])
  })
})
