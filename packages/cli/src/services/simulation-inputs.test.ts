import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseRates } from './parse-rates.js'
import { sourceOf } from './simulate-workload.js'
import { checkReportFile } from './write-report.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-inputs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('what is refused before the first run', () => {
  it('is a page that could not be written afterwards', () => {
    expect(() => checkReportFile(folder, 'page.html')).not.toThrow()
    expect(() => checkReportFile(folder, 'nowhere/page.html')).toThrow('--html nowhere/page.html cannot be written')
    expect(() => checkReportFile(folder, '.')).toThrow('--html . is a folder')
  })

  it('is a page in the place of the log, under whatever name', () => {
    writeFileSync(join(folder, 'requests.log'), '{}')
    symlinkSync('requests.log', join(folder, 'page.link'))
    for (const page of ['requests.log', 'page.link'])
      expect(() => checkReportFile(folder, page, 'requests.log')).toThrow(`--html ${page} is the file that is read`)
    expect(() => checkReportFile(folder, 'other.html', 'requests.log')).not.toThrow()
    expect(() => checkReportFile(folder, 'other.html', 'agent')).not.toThrow()
  })

  it('is a pool where nothing has pools', () => {
    const flags = { cwd: folder, pool: 'chat' }
    expect(() => sourceOf({ ...flags, trace: 'chat' })).toThrow('--pool chat has nothing to choose from')
    expect(() => sourceOf({ ...flags, blind: 7 })).toThrow('--pool chat has nothing to choose from')
    expect(sourceOf({ ...flags, trace: 'chat', topology: 'lb.yaml' }).name).toBe('chat')
    expect(() => sourceOf(flags)).toThrow('no workload is named')
  })

  it('is a range without an end, by its own words', () => {
    expect(() => parseRates('1..2/x')).toThrow('--rate 1..2/x: 1..2/x is no range')
    expect(() => parseRates('1..')).toThrow('1.. is no range')
  })
})
