import { appendFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { followLogs } from './follow-logs.js'
import { targetOf } from './find-target.js'
import { chooseSources, logSources } from './node-logs.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-logs-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the logs of a topology', () => {
  it("are its own and its nodes', and are found by short names where those are clear", () => {
    const target = targetOf('demo', { HOME: folder, XDG_STATE_HOME: folder, XDG_RUNTIME_DIR: folder })
    mkdirSync(target.paths.logDir, { recursive: true })
    for (const name of ['a.x.log', 'b.x.log', 'a.y.z.log', 'lb.log', 'a.x.log.1']) writeFileSync(join(target.paths.logDir, name), '')
    const sources = logSources(target)
    expect(sources.map((source) => source.label)).toEqual(['lb', 'a/x', 'a/y.z', 'b/x'])
    expect(chooseSources(sources, 'y.z').map((source) => source.label)).toEqual(['a/y.z'])
    expect(() => chooseSources(sources, 'x')).toThrow(/several nodes/)
    expect(() => chooseSources(sources, 'q')).toThrow(/no log of `q`/)
    expect(chooseSources(sources, undefined)).toHaveLength(4)
  })
})

describe('following', () => {
  it('begins with the last lines and ends there when not asked to go on', async () => {
    const path = join(folder, 'a.log')
    writeFileSync(path, 'one\ntwo\nthree\n')
    const lines: string[] = []
    await followLogs([{ label: 'a', path }], {
      lines: 2,
      follow: false,
      signal: new AbortController().signal,
      onLine: ({ text }) => lines.push(text),
    })
    expect(lines).toEqual(['two', 'three'])
  })

  it('goes on with whole lines, over truncation, and with files that come later', async () => {
    const [path, later] = [join(folder, 'a.log'), join(folder, 'b.log')]
    writeFileSync(path, 'old\n')
    const lines: string[] = []
    const life = new AbortController()
    const sources = [
      { label: 'a', path },
      { label: 'b', path: later },
    ]
    const following = followLogs(sources, {
      lines: 0,
      follow: true,
      signal: life.signal,
      onLine: ({ label, text }) => lines.push(`${label}:${text}`),
    })
    appendFileSync(path, 'ha')
    appendFileSync(path, 'lf\n50 %\r60 %\r\n')
    writeFileSync(later, 'hello\n')
    await vi.waitUntil(() => lines.length === 4, { timeout: 5_000 })
    expect([...lines].sort()).toEqual(['a:50 %', 'a:60 %', 'a:half', 'b:hello'])
    truncateSync(path)
    appendFileSync(path, 'new\n')
    await vi.waitUntil(() => lines.includes('a:new'), { timeout: 5_000 })
    life.abort()
    await following
  })
})
