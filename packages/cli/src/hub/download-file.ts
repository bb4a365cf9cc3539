import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm, stat, type FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { LbError, isLbError } from '@plimsoll/core'
import { errorCode, type HubAnswer, type HubClient } from './hub-client.js'
import { diskError, isPassing, networkError, refusalError } from './hub-errors.js'
import type { HubFile } from './repository-files.js'

export interface Download {
  readonly hub: HubClient
  readonly repo: string
  readonly commit: string
  readonly file: HubFile
  /** Grows here; what is there already is gone on with. */
  readonly part: string
  readonly folder: string
  readonly signal: AbortSignal
  /** Bytes that were there, then each that came; may be negative when a part had to be thrown away. */
  readonly onBytes: (bytes: number) => void
}

const MOST_STILL_TRIES = 5
const PAUSE_MS = 500

/**
 * Fetches one file of a commit until it is whole and its hash is right. A connection that breaks is taken up where it was, as long as something came.
 * An abort leaves the part for the next time. Throws LB_HASH_MISMATCH, LB_NO_SPACE, LB_NO_NETWORK and what the hub refuses.
 */
export async function downloadFile(download: Download): Promise<void> {
  const { signal, hub } = download
  let stillTries = 0
  for (;;) {
    const before = await sizeOf(download.part)
    try {
      await attempt(download)
      return
    } catch (error) {
      signal.throwIfAborted()
      if (isLbError(error)) throw error
      if (!isPassing(error)) throw isSystem(error) ? diskError(error, download.folder) : networkError(error, hub.settings)
      stillTries = (await sizeOf(download.part)) > before ? 0 : stillTries + 1
      if (stillTries >= MOST_STILL_TRIES) throw networkError(error, hub.settings)
      await sleep(PAUSE_MS * 2 ** stillTries, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

async function attempt(download: Download): Promise<void> {
  const { file, part, onBytes } = download
  let have = await sizeOf(part)
  if (have > file.bytes) {
    await rm(part)
    have = 0
  }
  const check = checkOf(file)
  await hashPart(part, have, check?.hash)
  let counted = have
  onBytes(have)
  try {
    if (have < file.bytes || have === 0) await fetchRest(download, have, check?.hash, (bytes) => void (counted += bytes))
  } catch (error) {
    // The next try counts them again.
    onBytes(-counted)
    throw error
  }
  const is = check?.digest()
  if (is === undefined || is === check?.wanted) return
  await rm(part, { force: true })
  onBytes(-counted)
  throw new LbError(
    `${file.path} came with another content than the hub says (${is.slice(0, 12)} instead of ${check?.wanted.slice(0, 12)})`,
    {
      code: 'LB_HASH_MISMATCH',
      source: 'engine',
      hint: 'it was thrown away; try again. If it happens twice, something on the way changes it',
    },
  )
}

async function fetchRest(download: Download, from: number, hash: Hash | undefined, count: (bytes: number) => void): Promise<void> {
  const { hub, repo, commit, file, part, onBytes } = download
  const path = `/${repo}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`
  const answer = await hub.open(path, from)
  if (answer.status !== (from === 0 ? 200 : 206)) {
    answer.discard()
    throw await refusal(answer, download, from)
  }
  const handle = await open(part, from === 0 ? 'w' : 'a')
  let at = from
  try {
    for await (const bytes of answer.body) {
      await writeAll(handle, bytes)
      hash?.update(bytes)
      at += bytes.byteLength
      count(bytes.byteLength)
      onBytes(bytes.byteLength)
      if (at > file.bytes) break
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  if (at < file.bytes) throw Object.assign(new Error('the answer ended too early'), { code: 'ESHORT' })
}

/** A hub that does not take up where it was sends all again: the part goes, and the next try begins anew. */
async function refusal({ status, headers }: HubAnswer, { hub, repo, file, part }: Download, from: number): Promise<Error> {
  if (from > 0 && (status === 200 || status === 416)) {
    await rm(part, { force: true })
    return Object.assign(new Error('the hub sends the file from its start only'), { code: 'ESHORT' })
  }
  if (status >= 500) return Object.assign(new Error(`the hub answered ${status}`), { code: 'ECONNRESET' })
  return refusalError({ status, code: errorCode(headers), what: `${repo}: ${file.path}`, repo }, hub.settings)
}

interface Check {
  readonly hash: Hash
  readonly wanted: string
  digest(): string
}

/** SHA-256 of large files; of small ones git's own, which counts its header. */
function checkOf({ sha256, gitSha1, bytes }: HubFile): Check | undefined {
  const wanted = sha256 ?? gitSha1
  if (wanted === undefined) return undefined
  const hash = sha256 === undefined ? createHash('sha1').update(`blob ${bytes}\0`) : createHash('sha256')
  return { hash, wanted, digest: () => hash.digest('hex') }
}

async function hashPart(part: string, have: number, hash: Hash | undefined): Promise<void> {
  if (have === 0 || hash === undefined) return
  for await (const bytes of createReadStream(part) as AsyncIterable<Buffer>) hash.update(bytes)
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) at += (await handle.write(bytes, at)).bytesWritten
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}

/** A failed call of the system, by its own name, and not one of the network. */
function isSystem(error: unknown): boolean {
  const { syscall } = error as { syscall?: unknown }
  return typeof syscall === 'string' && /^(open|write|fsync|mkdir|rename|ftruncate|unlink|rm)$/.test(syscall)
}
