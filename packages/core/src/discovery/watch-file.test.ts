import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readMemberFile } from './read-member-file.js'
import { Watched } from './watched.test.fixture.js'

let folder: string
let path: string
let watched: Watched
let stop: (() => void) | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-members-'))
  path = join(folder, 'members.json')
})

afterEach(() => {
  stop?.()
  stop = undefined
  rmSync(folder, { recursive: true, force: true })
})

function watch(): void {
  watched = new Watched({ kind: 'file', from: `file:${path}`, path, everyMs: 10 })
  stop = () => watched.discovery.stop()
}

const listed = (...ports: readonly number[]): string => JSON.stringify(ports.map((port) => ({ url: `http://a.test:${port}` })))
const urls = (...ports: readonly number[]): readonly string[] => ports.map((port) => `http://a.test:${port}`)

function replace(text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

describe('a file of members', () => {
  it('is read again when another takes its place, and when it is written in place', async () => {
    replace(listed(1, 2))
    watch()
    await expect.poll(() => watched.urls).toEqual(urls(1, 2))
    replace(listed(2, 3))
    await expect.poll(() => watched.urls).toEqual(urls(2, 3))
    writeFileSync(path, listed(4))
    await expect.poll(() => watched.urls).toEqual(urls(4))
  })

  it('is read again when a link on its way points elsewhere, as that of a mounted ConfigMap does', async () => {
    writeFileSync(join(folder, 'one'), listed(1))
    writeFileSync(join(folder, 'two'), listed(2))
    symlinkSync('one', path)
    watch()
    await expect.poll(() => watched.urls).toEqual(urls(1))
    symlinkSync('two', `${path}.new`)
    renameSync(`${path}.new`, path)
    await expect.poll(() => watched.urls).toEqual(urls(2))
  })

  it('keeps its last truth while it is half written, wrong or away, and says which', async () => {
    replace(listed(1))
    watch()
    await expect.poll(() => watched.urls).toEqual(urls(1))
    writeFileSync(path, '[{"url": "http://a.te')
    await expect.poll(() => watched.report.error).toContain('no whole JSON')
    replace('[{"url": "http://a.test:1", "weigth": 2}]')
    await expect.poll(() => watched.report.error).toContain('[0] has the key `weigth`')
    rmSync(path)
    await expect.poll(() => watched.report.error).toBe('there is no such file')
    expect(watched.urls).toEqual(urls(1))
    replace(listed(1, 2))
    await expect.poll(() => [watched.urls, watched.report.error]).toEqual([urls(1, 2), undefined])
    expect(watched.said.at(-2)).toBe(`p/g: file:${path} fails, 1 member stays: there is no such file`)
    expect(watched.said.at(-1)).toBe(`p/g: file:${path} answers again`)
  })

  it('that is empty is believed at once: somebody wrote that', async () => {
    replace(listed(1))
    watch()
    await expect.poll(() => watched.urls).toEqual(urls(1))
    replace('[]')
    await expect.poll(() => watched.urls).toEqual([])
  })

  it('says how old its truth is, also when nothing changes', async () => {
    replace(listed(1))
    watch()
    await expect.poll(() => watched.report.atMs).toBeGreaterThan(0)
    const before = watched.report.atMs ?? 0
    await expect.poll(() => watched.report.atMs).toBeGreaterThan(before)
    expect(watched.told.length).toBeLessThanOrEqual(1)
  })

  it('of more than 1,024 servers is cut, by name and not by chance', async () => {
    replace(JSON.stringify(Array.from({ length: 1_030 }, (_, index) => `http://h${String(index).padStart(4, '0')}.test:1`)))
    watch()
    await expect.poll(() => watched.urls).toHaveLength(1_024)
    expect(watched.urls.at(-1)).toBe('http://h1023.test:1')
    expect(watched.report.notes).toEqual(['6 of 1030 are left out: a source has at most 1024 members'])
  })

  it('may name link-local servers: who writes it could write the topology', async () => {
    replace('["http://169.254.1.1:80", "http://169.254.1.1:80/"]')
    watch()
    await expect.poll(() => watched.urls).toEqual(['http://169.254.1.1:80'].map((url) => url.replace(':80', '')))
    expect(watched.report.notes).toEqual(['1 entries stand twice and count once'])
  })
})

describe('what a file of members may say', () => {
  it('is a URL, or a URL with a name, a weight, a model and labels', () => {
    const full = { url: 'https://b.test/v1/', name: 'big', weight: 2.5, model: 'x/y', labels: { zone: 'a' } }
    expect(readMemberFile(JSON.stringify(['unix:/run/s', full]))).toEqual([
      { url: 'http+unix://%2Frun%2Fs' },
      { ...full, url: 'https://b.test/v1' },
    ])
  })

  it.each([
    ['{}', 'it must be a list'],
    ['[1]', '[0] must be a URL or {"url": ...}'],
    ['["ftp://a"]', '[0]: `ftp://` is not spoken here'],
    ['["http://u:p@a"]', 'credentials'],
    ['["http://a:99999"]', 'is not a URL'],
    ['[{"url":"http://a"},{"name":"x"}]', '[1].url must be a text'],
    ['[{"url":"http://a","name":"A b"}]', '[0].name must be'],
    ['[{"url":"http://a","weight":0}]', '[0].weight must be a number over 0'],
    ['[{"url":"http://a","weight":1e9}]', '[0].weight'],
    ['[{"url":"http://a","model":""}]', '[0].model'],
    ['[{"url":"http://a","labels":{"a":1}}]', '[0].labels'],
    ['[{"url":"http://a","name":"x"},{"url":"http://b","name":"x"}]', 'two servers are named `x`'],
  ])('is not %s', (text, message) => {
    expect(() => readMemberFile(text)).toThrow(message)
  })

  it('never makes anything but a list or an error', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          expect(Array.isArray(readMemberFile(text))).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
    )
  })
})
