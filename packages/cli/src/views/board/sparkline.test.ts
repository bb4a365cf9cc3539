import { describe, expect, it } from 'vitest'
import { glyphsFor } from './glyphs.js'
import { sparkline } from './sparkline.js'

const UTF8 = glyphsFor({ LANG: 'C.UTF-8' })

describe('sparkline', () => {
  it('keeps a steady line low and makes twice the lowest the top', () => {
    expect(sparkline([100, 102, 100, 200], 4, UTF8)).toBe('▁▁▁█')
  })

  it('leaves a blank where nothing was answered and shows the newest values', () => {
    expect(sparkline([900, 100, null, 100], 3, UTF8)).toBe('▁ ▁')
    expect(sparkline([null, null], 4, UTF8)).toBe('    ')
    expect(sparkline([0, 0], 2, UTF8)).toBe('▁▁')
  })

  it('draws in ASCII where the locale is not UTF-8', () => {
    expect(sparkline([100, 200], 2, glyphsFor({ LANG: 'C' }))).toBe('_#')
    expect(glyphsFor({ LANG: 'C.UTF-8', LC_ALL: 'POSIX' }).pointer).toBe('>')
  })
})
