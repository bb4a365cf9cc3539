import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { describeEnd } from './explain-end.js'
import { lastWords } from './last-words.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-words-'))
const path = join(folder, 'a.log')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the last words of an engine', () => {
  it('are its last line that says anything', () => {
    expect(lastWords(path)).toBe('')
    writeFileSync(path, 'first\nCUDA out of memory\n\n   \n')
    expect(lastWords(path)).toBe(': CUDA out of memory')
  })

  it('cannot do anything to a terminal', () => {
    writeFileSync(path, '\u001B[31mred\u001B[0m \u001B]52;c;aGk=\u0007\u202Eevil\r\b\n')
    const words = lastWords(path)
    expect(words).toMatch(/^: red/)
    expect(words).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  it('say how it ended', () => {
    expect(describeEnd({ code: 1, signal: null })).toBe('exited with code 1')
    expect(describeEnd({ code: null, signal: 'SIGKILL' })).toBe('ended by SIGKILL')
  })
})
