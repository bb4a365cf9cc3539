import { readFileSync, statSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { messageOf } from '@plimsoll/core'
import { badPlugin, type PluginManifest } from './plugin-manifest.js'

/** What a package file holds, read without unpacking it. */
export interface PackageTarball {
  readonly manifest: PluginManifest
  /** Paths of its files, relative to the package: `dist/index.js`. */
  readonly files: ReadonlySet<string>
}

const MAX_PACKED_BYTES = 256 * 1024 * 1024
const MAX_BYTES = 1024 * 1024 * 1024
const BLOCK_BYTES = 512

/** Reads a `.tgz` as `npm pack` makes them (POSIX ustar and pax). Throws LB_BAD_PLUGIN for what is none, and for paths that leave the package. */
export function readTarball(path: string): PackageTarball {
  const bad = (why: string) => badPlugin(path, why, 'pack it anew with `npm pack` in its folder')
  const files = new Map<string, Buffer>()
  for (const { name, kind, bytes } of entriesOf(unpacked(path, bad), bad)) {
    const steps = name.split('/')
    if (name.startsWith('/') || name.includes('\\') || steps.includes('..'))
      throw bad(`it holds the path ${JSON.stringify(name)}, which leaves the package`)
    if (kind === 'link') throw bad(`it holds a link, ${JSON.stringify(name)}`)
    // npm takes the first folder off, whatever its name.
    if (kind === 'file') files.set(steps.slice(1).join('/'), bytes)
  }
  const text = files.get('package.json')
  if (text === undefined) throw bad('it holds no package.json')
  return { manifest: parseManifest(text, bad), files: new Set(files.keys()) }
}

type Refuse = (why: string) => Error

function unpacked(path: string, bad: Refuse): Buffer {
  try {
    if (statSync(path).size > MAX_PACKED_BYTES) throw new Error('it is over 256 MiB')
    return gunzipSync(readFileSync(path), { maxOutputLength: MAX_BYTES })
  } catch (cause) {
    throw bad(`it is no package file: ${messageOf(cause)}`)
  }
}

function parseManifest(text: Buffer, bad: Refuse): PluginManifest {
  try {
    const manifest: unknown = JSON.parse(text.toString('utf8'))
    if (typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest)) return manifest
  } catch (cause) {
    throw bad(`its package.json is no JSON: ${messageOf(cause)}`)
  }
  throw bad('its package.json is no object')
}

interface Entry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link'
  readonly bytes: Buffer
}

function* entriesOf(tar: Buffer, bad: Refuse): Generator<Entry> {
  let longName: string | undefined
  for (let at = 0; at + BLOCK_BYTES <= tar.byteLength;) {
    const head = tar.subarray(at, at + BLOCK_BYTES)
    if (head.every((byte) => byte === 0)) return
    const size = Number.parseInt(textAt(head, 124, 12).trim() || '0', 8)
    const from = at + BLOCK_BYTES
    if (!Number.isSafeInteger(size) || size < 0 || from + size > tar.byteLength) throw bad('it breaks off, or is no tar file')
    const bytes = tar.subarray(from, from + size)
    at = from + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
    const type = String.fromCharCode(head[156] ?? 0)
    if (type === 'x' || type === 'g') longName = type === 'x' ? (paxPath(bytes) ?? longName) : longName
    else if (type === 'L') longName = bytes.toString('utf8').replace(/\0+$/, '')
    else {
      yield { name: longName ?? ownName(head), kind: kindOf(type), bytes }
      longName = undefined
    }
  }
}

function kindOf(type: string): Entry['kind'] {
  return type === '1' || type === '2' ? 'link' : type === '5' ? 'folder' : 'file'
}

function ownName(head: Buffer): string {
  const prefix = textAt(head, 257, 5) === 'ustar' ? textAt(head, 345, 155) : ''
  return prefix === '' ? textAt(head, 0, 100) : `${prefix}/${textAt(head, 0, 100)}`
}

/** Records are `LENGTH key=value\n`. */
function paxPath(bytes: Buffer): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(bytes.toString('utf8'))?.[1]
}

function textAt(head: Buffer, from: number, length: number): string {
  const text = head.toString('utf8', from, from + length)
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}
