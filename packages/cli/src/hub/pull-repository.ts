import { mkdirSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { LbError } from '@plimsoll/core'
import { chooseFiles, type FileWish } from './choose-files.js'
import { contentHashOf } from './content-hash.js'
import { downloadFile } from './download-file.js'
import { createHubClient } from './hub-client.js'
import { diskError, noSpaceFor } from './hub-errors.js'
import type { HubSettings } from './hub-settings.js'
import { lockPull } from './pull-lock.js'
import { readRevision, type HubFile } from './repository-files.js'
import { cacheShelf, folderShelf, type Shelf } from './shelf.js'

export interface HubProgress {
  /** The file that was worked on last. */
  readonly file: string
  readonly doneBytes: number
  readonly totalBytes: number
}

export interface PullRepositoryOptions extends FileWish {
  readonly settings: HubSettings
  /** A plain folder instead of the cache. */
  readonly to?: string
  readonly signal: AbortSignal
  readonly onProgress: (progress: HubProgress) => void
  readonly env?: NodeJS.ProcessEnv
}

export interface PulledRepository {
  readonly repo: string
  readonly commit: string
  /** Over the names and hashes of its files: the same content has the same, wherever it lies. */
  readonly contentHash: string
  readonly folder: string
  readonly bytes: number
  /** Bytes that had to be fetched. */
  readonly fetchedBytes: number
  readonly files: readonly string[]
}

const AT_ONCE = 3

/** Fetches the files of a model: its revision resolved to a commit first, so that all files are of one state. Goes on where an earlier pull ended. */
export async function pullRepository(options: PullRepositoryOptions): Promise<PulledRepository> {
  const { settings, reference, signal } = options
  if (settings.offline) throw offline()
  const hub = await createHubClient(settings, signal, options.env)
  const { commit, files } = await readRevision(hub, reference)
  const chosen = chooseFiles(files, options)
  const { repo, revision = 'main' } = reference
  const shelf = options.to === undefined ? cacheShelf(settings.cacheDir, { repo, revision, commit }) : folderShelf(options.to)
  const unlock = await lockedOn(shelf)
  try {
    const missing = chosen.filter((file) => !shelf.isThere(file))
    await needRoom(missing, shelf)
    const fetchedBytes = await fetchAll({ ...options, missing, chosen, shelf }, (file, onBytes) =>
      downloadFile({ hub, repo, commit, file, part: shelf.partOf(file), folder: shelf.root, signal, onBytes }),
    )
    shelf.finish()
    return {
      repo,
      commit,
      contentHash: contentHashOf(chosen),
      folder: shelf.folder,
      bytes: sum(chosen),
      fetchedBytes,
      files: chosen.map(({ path }) => path),
    }
  } finally {
    unlock()
  }
}

interface Fetching {
  readonly missing: readonly HubFile[]
  readonly chosen: readonly HubFile[]
  readonly shelf: Shelf
  readonly onProgress: (progress: HubProgress) => void
}

type FetchOne = (file: HubFile, onBytes: (bytes: number) => void) => Promise<void>

/** Small files first, some at once; the first failure ends the rest with it. */
async function fetchAll({ missing, chosen, shelf, onProgress }: Fetching, fetchOne: FetchOne): Promise<number> {
  const totalBytes = sum(chosen)
  const queue = [...missing].sort((a, b) => a.bytes - b.bytes)
  let doneBytes = totalBytes - sum(missing)
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const { path } = file
      await fetchOne(file, (bytes) => onProgress({ file: path, doneBytes: (doneBytes += bytes), totalBytes }))
      shelf.place(file)
    }
  }
  const workers = Array.from({ length: AT_ONCE }, () =>
    work().catch((error: unknown) => {
      queue.length = 0
      throw error
    }),
  )
  // Others may still be in the midst of a file: their parts are kept only when they have ended.
  const failure = (await Promise.allSettled(workers)).find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
  return sum(missing)
}

async function lockedOn(shelf: Shelf): Promise<() => void> {
  try {
    mkdirSync(shelf.root, { recursive: true })
    return await lockPull(join(shelf.root, '.lb-pull.lock'))
  } catch (error) {
    throw error instanceof LbError ? error : diskError(error, shelf.root)
  }
}

async function needRoom(missing: readonly HubFile[], shelf: Shelf): Promise<void> {
  const parts = await Promise.all(missing.map(async (file) => (await stat(shelf.partOf(file)).catch(() => undefined))?.size ?? 0))
  const needed = sum(missing) - parts.reduce((total, bytes) => total + bytes, 0)
  const { bavail, bsize } = await statfs(shelf.root)
  if (needed > bavail * bsize) throw noSpaceFor(gigabytes(needed), gigabytes(bavail * bsize), shelf.root)
}

function sum(files: readonly HubFile[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0)
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}

function offline(): LbError {
  return new LbError('HF_HUB_OFFLINE is set: nothing may be fetched', {
    code: 'LB_OFFLINE',
    source: 'operator',
    hint: 'unset it to pull; what is in the cache needs no pull',
  })
}
