import { createHash, type Hash } from 'node:crypto'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { readJson, writeFileDurable } from './durable-file.js'
import { stateRoot } from './state-paths.js'

const KIB = 1024
const HEAD_BYTES = 1024 * KIB
const SAMPLE_BYTES = 64 * KIB
const SAMPLES = 16
/** A tenth of a millisecond to half a one of a thread that others need. */
const CHUNK_BYTES = 256 * KIB
const MOST_KEPT = 500

/**
 * Tells files from others by their names, sizes, beginnings and samples of the rest: quick, whatever their size. `sample:<bytes>:<16 hex>`; undefined where one
 * cannot be read. Two files that differ in a few bytes only may have the same.
 */
export async function sampleOfFiles(paths: readonly string[]): Promise<string | undefined> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for (const path of paths) bytes += await addSamples(path, hash)
  } catch {
    return undefined
  }
  return `sample:${bytes}:${hash.digest('hex').slice(0, 16)}`
}

async function addSamples(path: string, hash: Hash): Promise<number> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    hash.update(`${basename(path)}:${size}:`)
    const room = Buffer.allocUnsafe(Math.min(HEAD_BYTES, size))
    await addPart(file, hash, room, 0)
    const samples = size > SAMPLE_BYTES ? SAMPLES : 0
    for (let part = 1; part <= samples; part++)
      await addPart(file, hash, room.subarray(0, SAMPLE_BYTES), Math.floor((part * (size - SAMPLE_BYTES)) / SAMPLES))
    return size
  } finally {
    await file.close()
  }
}

async function addPart(file: FileHandle, hash: Hash, room: Buffer, at: number): Promise<void> {
  const { bytesRead } = await file.read(room, 0, room.byteLength, at)
  hash.update(room.subarray(0, bytesRead))
}

export interface HashOptions {
  readonly signal: AbortSignal
  /** Where hashes are kept by path, size and time of change; default beside the state of all topologies. */
  readonly keptIn?: string
}

/**
 * `sha256:<hex>` over all bytes of files, of one its own; undefined where one cannot be read or changes meanwhile. Takes minutes for large ones, in small steps with
 * pauses, so that others get the processor and the thread. What was counted once is kept.
 */
export async function sha256OfFiles(paths: readonly string[], options: HashOptions): Promise<string | undefined> {
  const hashes: string[] = []
  for (const path of paths) {
    const hash = await sha256Of(path, options)
    if (hash === undefined) return undefined
    hashes.push(hash)
  }
  const [first] = hashes
  if (first === undefined || hashes.length === 1) return first === undefined ? undefined : `sha256:${first}`
  const lines = paths.map((path, index) => `${basename(path)} ${hashes[index] ?? ''}\n`)
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`
}

interface Kept {
  readonly bytes: number
  readonly changedAtMs: number
  readonly sha256: string
}

async function sha256Of(
  path: string,
  { signal, keptIn = join(stateRoot(), 'file-hashes.json') }: HashOptions,
): Promise<string | undefined> {
  const before = await look(path)
  if (before === undefined) return undefined
  const kept = keptAt(keptIn)[path]
  if (kept !== undefined && kept.bytes === before.bytes && kept.changedAtMs === before.changedAtMs) return kept.sha256
  const sha256 = await count(path, signal)
  const after = await look(path)
  if (after?.bytes !== before.bytes || after.changedAtMs !== before.changedAtMs) return undefined
  keep(keptIn, path, { ...before, sha256 })
  return sha256
}

async function look(path: string): Promise<Omit<Kept, 'sha256'> | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() === true ? { bytes: found.size, changedAtMs: found.mtimeMs } : undefined
}

async function count(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path)
  try {
    const room = Buffer.allocUnsafe(CHUNK_BYTES)
    for (;;) {
      signal.throwIfAborted()
      const { bytesRead } = await file.read(room, 0, CHUNK_BYTES, null)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(room.subarray(0, bytesRead))
      if (bytesRead === CHUNK_BYTES) await pause(1)
    }
  } finally {
    await file.close()
  }
}

function keptAt(path: string): Readonly<Record<string, Kept>> {
  const found = readJson(path)
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return {}
  const entries = Object.entries(found as Record<string, Partial<Kept> | null>)
  return Object.fromEntries(entries.filter((entry): entry is [string, Kept] => /^[0-9a-f]{64}$/.test(String(entry[1]?.sha256))))
}

/** A disk that refuses costs counting it again. */
function keep(keptIn: string, path: string, kept: Kept): void {
  const others = Object.entries(keptAt(keptIn)).filter(([name]) => name !== path)
  try {
    writeFileDurable(keptIn, `${JSON.stringify(Object.fromEntries([...others, [path, kept]].slice(-MOST_KEPT)))}\n`)
  } catch {
    return
  }
}
