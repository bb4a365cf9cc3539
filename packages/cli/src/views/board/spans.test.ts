import { describe, expect, it } from 'vitest'
import { cellWidth, cut, cutLine, fit, justify, plainText, span } from './spans.js'

describe('spans', () => {
  it('counts cells as terminals do', () => {
    expect(['abc', '● ready', '日本', '😀', 'e\u0301'].map(cellWidth)).toEqual([3, 7, 4, 2, 1])
  })

  it('cuts to a width and says so', () => {
    expect(cut('gpu-node-17', 8)).toBe('gpu-nod…')
    expect(cut('日本語', 4)).toBe('日…')
    expect(cut('abc', 3)).toBe('abc')
    expect(cut('abc', 0)).toBe('')
  })

  it('fits text into a column on either side', () => {
    expect([fit('ab', 4), fit('ab', 4, 'right'), fit('abcdef', 4)]).toEqual(['ab  ', '  ab', 'abc…'])
  })

  it('cuts a line in the span where the width ends', () => {
    const line = [span('abc', 'bold'), span('defgh', 'dim'), span('never')]
    expect(cutLine(line, 6)).toEqual([span('abc', 'bold'), span('de…', 'dim')])
  })

  it('pushes two ends apart, or refuses when they would touch', () => {
    expect(plainText(justify([span('a')], [span('b')], 5) ?? [])).toBe('a   b')
    expect(justify([span('aa')], [span('bb')], 5)).toBeUndefined()
  })
})
