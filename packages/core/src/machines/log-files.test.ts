import { closeSync, existsSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openAppendLog, rotateIfLarger, tailFile } from './log-files.js'
import { scratchFolder } from './processes.test.fixture.js'

const folder = scratchFolder()

describe('log files', () => {
  it('rotate under a writer that keeps its descriptor', () => {
    const path = join(folder(), 'logs', 'engine.log')
    const file = openAppendLog(path)
    for (const word of ['one', 'two', 'three', 'four']) {
      writeSync(file, `${word}\n`.repeat(10))
      expect(rotateIfLarger(path, { maxBytes: 20, keep: 2 })).toBe(true)
    }
    writeSync(file, 'five\n')
    closeSync(file)
    expect(readFileSync(path, 'utf8')).toBe('five\n')
    expect(readFileSync(`${path}.1`, 'utf8')).toContain('four')
    expect(readFileSync(`${path}.2`, 'utf8')).toContain('three')
    expect(existsSync(`${path}.3`)).toBe(false)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('stay as they are below the limit or when there are none', () => {
    const path = join(folder(), 'small.log')
    expect(rotateIfLarger(path, { maxBytes: 1, keep: 1 })).toBe(false)
    writeFileSync(path, 'x')
    expect(rotateIfLarger(path, { maxBytes: 1, keep: 1 })).toBe(false)
  })

  it('give their last lines, also without a final newline', () => {
    const path = join(folder(), 'a.log')
    expect(tailFile(path, 3)).toEqual([])
    writeFileSync(path, `${'padding\n'.repeat(20_000)}a\nb\nc`)
    expect(tailFile(path, 2)).toEqual(['b', 'c'])
    writeFileSync(path, 'a\nb\n')
    expect(tailFile(path, 5)).toEqual(['a', 'b'])
  })
})
