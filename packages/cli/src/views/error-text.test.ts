import { LbError } from '@plimsoll/core'
import { describe, expect, it } from 'vitest'
import { shownError } from './error-text.js'
import { jsonText } from './json-text.js'

const quiet = { verbose: false }

describe('an error', () => {
  it('says what is wrong and what to do, and carries its code', () => {
    const shown = shownError(new LbError('the port is taken', { code: 'LB_PORT_TAKEN', source: 'operator', hint: 'choose another' }), quiet)
    expect(shown.text).toBe('lb: the port is taken\n    try: choose another')
    expect(shown.json).toEqual({ error: { code: 'LB_PORT_TAKEN', message: 'the port is taken', hint: 'choose another' } })
  })

  it('never sends a foreign control character', () => {
    const shown = shownError(new LbError('bad \u001b[2J\u202e', { code: 'LB_X', source: 'engine', hint: '\u009b1m' }), { verbose: true })
    // oxlint-disable-next-line no-control-regex
    expect(shown.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  })

  it('of the parser is wrong input, and one that nobody foresaw asks for a report', () => {
    expect(shownError(Object.assign(new Error('Nonexistent flag'), { oclif: { exit: 2 } }), quiet).code).toBe('LB_WRONG_INPUT')
    const bug = shownError(new TypeError('x is undefined'), quiet)
    expect(bug.code).toBe('LB_BUG')
    expect(bug.text).toContain('--verbose')
  })

  it('of the parser has one hint and no stray line break', () => {
    const thrown = Object.assign(new Error('Nonexistent flag: --foo\nSee more help with --help'), { oclif: { exit: 2 } })
    expect(shownError(thrown, quiet).text).toBe('lb: Nonexistent flag: --foo\n    try: add --help to see what this command takes')
    const several = Object.assign(new Error('The following errors occurred:\n  one\n\n  two\nSee more help with --help'), {
      oclif: { exit: 2 },
    })
    expect(shownError(several, quiet).json).toMatchObject({ error: { message: 'The following errors occurred:\n  one\n  two' } })
  })

  it('shows where it came from when more is asked for', () => {
    expect(shownError(new Error('deep'), { verbose: true }).text).toContain('error-text.test')
  })
})

describe('jsonText', () => {
  it('reads back to the same value and is harmless on a terminal', () => {
    const value = { text: '\u009b31m\u202e\u200b\ufeff\u007f é 日本 😀', list: [1, null] }
    const text = jsonText(value)
    expect(text).not.toMatch(/[\u007f-\u009f\u202e\u200b\ufeff]/)
    expect(JSON.parse(text)).toEqual(value)
    expect(jsonText(value, { lines: true })).not.toContain('\n')
  })
})
