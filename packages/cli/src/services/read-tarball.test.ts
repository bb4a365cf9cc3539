import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readTarball } from './read-tarball.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-tarball-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Packed by the system's tar, which writes what npm writes. */
function tarballOf(files: Readonly<Record<string, string>>, ...flags: readonly string[]): string {
  const root = join(folder, 'root')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, 'package', path)), { recursive: true })
    writeFileSync(join(root, 'package', path), text)
  }
  execFileSync('tar', ['-czf', join(folder, 'x.tgz'), ...flags, '-C', root, 'package'])
  return join(folder, 'x.tgz')
}

describe('a package file', () => {
  it.each(['--format=ustar', '--format=pax', '--format=gnu'])('is read without unpacking it (%s)', (format) => {
    const long = `dist/${'deep/'.repeat(12)}${'n'.repeat(60)}.js`
    const path = tarballOf({ 'package.json': '{"name":"p"}', 'dist/index.js': 'x'.repeat(1500), [long]: '' }, format)
    const { manifest, files } = readTarball(path)
    expect(manifest).toEqual({ name: 'p' })
    expect([...files].sort()).toEqual(['dist/index.js', long, 'package.json'].sort())
  })

  it('that holds no package.json, or none that is an object, is named', () => {
    expect(() => readTarball(tarballOf({ 'index.js': '' }))).toThrow(/x\.tgz is broken: it holds no package\.json/)
    expect(() => readTarball(tarballOf({ 'package.json': '{' }))).toThrow(/no JSON/)
    expect(() => readTarball(tarballOf({ 'package.json': '[]' }))).toThrow(/no object/)
  })

  it('whose paths leave the package is refused', () => {
    const path = tarballOf({ 'package.json': '{}', 'a.js': '' }, '--transform=s,package/a.js,package/../../evil.js,')
    expect(() => readTarball(path)).toThrow(/"package\/\.\.\/\.\.\/evil\.js", which leaves the package/)
  })

  it('that holds a link is refused', () => {
    mkdirSync(join(folder, 'root/package'), { recursive: true })
    symlinkSync('/etc/passwd', join(folder, 'root/package/a.js'))
    expect(() => readTarball(tarballOf({ 'package.json': '{}' }))).toThrow(/holds a link, "package\/a\.js"/)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no archive', Buffer.from('hello')],
    ['packed nonsense', gzipSync(Buffer.alloc(2000, 'x'))],
    ['half an archive', gzipSync(Buffer.from('package/package.json'.padEnd(124, '\0') + '00000077777\0'.padEnd(388, '0')))],
  ])('that is %s is named', (_title, bytes) => {
    writeFileSync(join(folder, 'y.tgz'), bytes)
    expect(() => readTarball(join(folder, 'y.tgz'))).toThrow(/y\.tgz is broken/)
  })
})
