import { describe, expect, it } from 'vitest'
import type { NodeModels } from '@plimsoll/core'
import { modelsText } from './models-text.js'
import { pullTalk, pullText } from './pull-text.js'
import { bytes } from './units.js'

function talk(isTerminal: boolean) {
  const written: string[] = []
  let nowMs = 0
  const talk = pullTalk({ write: (text) => void written.push(text), isTerminal, columns: 100, nowMs: () => nowMs })
  return { talk, written, after: (ms: number) => void (nowMs += ms) }
}

describe('telling how far a pull is', () => {
  it('draws over one line on a terminal, with speed and time left', () => {
    const { talk: bar, written, after } = talk(true)
    bar.show({ model: 'm', step: 'pulling manifest' })
    after(1000)
    bar.show({ model: 'm', step: 'x', doneBytes: 0, totalBytes: 4_000_000 })
    after(1000)
    bar.show({ model: 'm', step: 'x', doneBytes: 1_000_000, totalBytes: 4_000_000 })
    after(10)
    bar.show({ model: 'm', step: 'x', doneBytes: 1_000_001, totalBytes: 4_000_000 })
    bar.end()
    expect(written).toEqual([
      '\rm  pulling manifest\u001b[K',
      '\rm  ░░░░░░░░░░░░░░░░░░░░  0 % of 4 MB\u001b[K',
      '\rm  █████░░░░░░░░░░░░░░░  25 % of 4 MB  1 MB/s, 3 s left\u001b[K',
      '\r\u001b[K',
    ])
  })

  it('says a line for each step and each tenth elsewhere', () => {
    const { talk: lines, written } = talk(false)
    for (const step of ['pulling manifest', 'pulling manifest']) lines.show({ model: 'm', step })
    for (let done = 0; done <= 100; done += 1) lines.show({ model: 'm', step: 'x', doneBytes: done, totalBytes: 100 })
    lines.show({ model: 'n', step: 'evil \u001b[2J' })
    expect(written[0]).toBe('m: pulling manifest\n')
    expect(written.slice(1, -1)).toHaveLength(11)
    expect(written.at(-2)).toBe('m: 100 % of 100 B\n')
    expect(written.at(-1)).toBe('n: evil \\e[2J\n')
  })

  it('sums up what came, what failed and what was left alone', () => {
    const hash = `sha256:${'ab'.repeat(32)}`
    expect(
      pullText({
        pulled: [
          { model: 'o/m', by: 'hub', nodes: ['p/a'], contentHash: hash, commit: 'c', folder: '/cache/o', bytes: 1500, fetchedBytes: 0 },
          { model: 'q', by: 'engine', nodes: [], contentHash: null },
        ],
        failed: [{ model: 'x', nodes: ['p/b'], code: 'LB_X', message: 'no', hint: 'try again' }],
        skipped: [{ node: 'p/c', why: 'attached' }],
      }),
    ).toBe(
      '✓ o/m   1.5 kB, was there   content abababababab   for p/a\n  /cache/o\n✓ q\n! x   for p/b: no\n  try: try again\n- p/c   attached\n',
    )
    expect(pullText({ pulled: [], failed: [], skipped: [] })).toBe('Nothing to pull.\n')
  })
})

describe('the table of models', () => {
  const known: NodeModels = { pool: 'p', node: 'p/a', engine: 'x', state: 'ready', asked: ['m'], models: [], adapters: [], error: null }
  const cell = (model: object) => modelsText([{ ...known, models: [{ name: 'm', ...model }] }]).split('\n')[1]

  it('says where a loaded model runs when that is not the GPU alone', () => {
    expect(cell({ loaded: true, memoryBytes: 10, acceleratorBytes: 10 })).toMatch(/ yes +-/)
    expect(cell({ loaded: true, memoryBytes: 10, acceleratorBytes: 4 })).toMatch(/yes, 40 % on the GPU/)
    expect(cell({ loaded: true, memoryBytes: 10, acceleratorBytes: 0 })).toMatch(/yes, on the processor/)
  })

  it('tells the context that counts from the one that could be', () => {
    expect(cell({ loaded: true, contextTokens: 8192 })).toMatch(/ 8\.2k /)
    expect(cell({ loaded: false, contextTokens: 131_072 })).toMatch(/131k at most/)
  })

  it('has a line for a node of which nothing is known', () => {
    expect(modelsText([{ ...known, error: 'it does not run' }, known])).toMatch(/m: it does not run .*\n.*serves none/)
  })
})

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [2_000_000_000, '2 GB'],
    [38_400_000_000, '38 GB'],
  ])('%i is %s', (value, text) => {
    expect(bytes(value)).toBe(text)
  })
})
