import { describe, expect, it } from 'vitest'
import { sanitize } from './sanitize.js'

describe('sanitize', () => {
  it('leaves ordinary text of any script alone', () => {
    expect(sanitize('chat/gpu-0 größe 日本語 ● ok')).toBe('chat/gpu-0 größe 日本語 ● ok')
  })

  it('shows escape sequences instead of sending them', () => {
    expect(sanitize('\u001b[2Jgone\u001b]0;title\u0007')).toBe('\\e[2Jgone\\e]0;title\\x07')
    expect(sanitize('\u009b31m')).toBe('\\x9b31m')
  })

  it('shows marks that turn the reading direction or hide text', () => {
    expect(sanitize('a\u202eb\u2066c\u200bd\u{e0041}')).toBe('a\\u202eb\\u2066c\\u200bd\\u{e0041}')
  })

  it('keeps everything on one line unless newlines are wanted', () => {
    expect(sanitize('a\nb\tc\r')).toBe('a\\nb\\tc\\r')
    expect(sanitize('a\nb\tc\r', { keepNewlines: true })).toBe('a\nb\tc\\r')
  })

  it('shows lone surrogates and keeps pairs', () => {
    expect(sanitize('\ud800x😀')).toBe('\\ud800x😀')
  })

  it('changes nothing the second time', () => {
    const once = sanitize('\u001b\u0000\u202e\n')
    expect(sanitize(once)).toBe(once)
  })
})
