import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync, copyFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { HubFile } from './repository-files.js'

/** Where the files of one revision come to lie. */
export interface Shelf {
  /** For people: what to point an engine at. */
  readonly folder: string
  /** Nothing is outside of it. */
  readonly root: string
  isThere(file: HubFile): boolean
  /** Where a file grows until it is whole. */
  partOf(file: HubFile): string
  /** Puts a whole file where it belongs. */
  place(file: HubFile): void
  /** All files are there: names the revision. */
  finish(): void
}

/** A plain folder with the files under their own names. */
export function folderShelf(folder: string): Shelf {
  const partOf = ({ path }: HubFile): string => made(join(folder, `${path}.part`))
  return {
    folder,
    root: folder,
    isThere: ({ path, bytes }) => sizeOf(join(folder, path)) === bytes,
    partOf,
    place: (file) => renameSync(partOf(file), join(folder, file.path)),
    finish: () => undefined,
  }
}

/** The cache of Hugging Face's own programs: blobs by hash, a folder of links for each commit, a file that says what a branch means. */
export function cacheShelf(cacheDir: string, of: { readonly repo: string; readonly revision: string; readonly commit: string }): Shelf {
  const root = join(cacheDir, `models--${of.repo.replaceAll('/', '--')}`)
  const folder = join(root, 'snapshots', of.commit)
  const blobOf = (file: HubFile): string => made(join(root, 'blobs', blobName(file)))
  const link = (file: HubFile): void => linkTo(blobOf(file), made(join(folder, file.path)))
  return {
    folder,
    root,
    isThere(file) {
      if (sizeOf(blobOf(file)) !== file.bytes) return false
      link(file)
      return true
    },
    partOf: (file) => `${blobOf(file)}.incomplete`,
    place(file) {
      renameSync(`${blobOf(file)}.incomplete`, blobOf(file))
      link(file)
    },
    finish() {
      if (of.revision === of.commit) return
      const ref = made(join(root, 'refs', of.revision))
      if (!existsSync(ref) || readFileSync(ref, 'utf8') !== of.commit) writeFileSync(ref, of.commit)
    },
  }
}

/** The hub's own etag; a file for which it tells none is named after its place. */
function blobName({ sha256, gitSha1, path }: HubFile): string {
  return sha256 ?? gitSha1 ?? createHash('sha1').update(path).digest('hex')
}

/** A link, or a copy where the file system knows none. */
function linkTo(blob: string, path: string): void {
  rmSync(path, { force: true })
  try {
    symlinkSync(relative(dirname(path), blob), path)
  } catch {
    copyFileSync(blob, path)
  }
}

function made(path: string): string {
  mkdirSync(dirname(path), { recursive: true })
  return path
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}
