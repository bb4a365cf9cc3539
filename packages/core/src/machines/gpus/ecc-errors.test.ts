import { describe, expect, it } from 'vitest'
import type { ToolRun } from './gpu-machine.js'
import { createEccQuestion, parseEccErrors } from './ecc-errors.js'

describe('errors that memory could not correct', () => {
  it('are counted where the tool counts them', () => {
    const text =
      'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6, 0\r\nGPU-5c6f3a3e-1b0f-8e0c-9d55-0a3f0e8c1f22, 3\nGPU-e189fb8d-1627-f8f0-2ba3-c0585a8e9e85, [N/A]\n'
    expect([...parseEccErrors(text)]).toEqual([
      ['GPU-8932f937-d72c-4106-c12f-20bd9faed9f6', 0],
      ['GPU-5c6f3a3e-1b0f-8e0c-9d55-0a3f0e8c1f22', 3],
    ])
  })

  it('are none in whatever else it says', () => {
    for (const text of ['', 'No devices were found', '[GPU is lost], 4', 'GPU-1, -3', '0, GPU-1, NVIDIA H100, 81559'])
      expect([...parseEccErrors(text)]).toEqual([])
  })

  it('are not asked for again where there is no tool', async () => {
    let asked = 0
    const run = (): Promise<ToolRun> => {
      asked += 1
      return Promise.resolve({ code: null, stdout: '', stderr: '', failure: 'missing' })
    }
    const ask = createEccQuestion({ run })
    await ask()
    expect([...(await ask())]).toEqual([])
    expect(asked).toBe(1)
  })
})
