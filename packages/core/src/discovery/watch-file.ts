import { open } from 'node:fs/promises'
import type { FileSource } from '../topology/index.js'
import { startPolling, type Asked } from './polling.js'
import { MAX_FILE_BYTES, readMemberFile } from './read-member-file.js'
import type { WatchSource } from './source.js'

const EVERY_MS = 1_000

/**
 * A file is looked at rather than watched: that also works on network drives and through the links of a mounted ConfigMap. One that was half written is
 * read again at the next look.
 */
export const watchFile: WatchSource<FileSource> = (source, context, events) => {
  const everyMs = source.everyMs ?? EVERY_MS
  let known = ''
  const ask = async (): Promise<Asked> => {
    const { stamp, text } = await readIfChanged(source.path, known)
    if (text === undefined) return { truth: undefined, nextMs: everyMs }
    known = ''
    const servers = readMemberFile(text)
    known = stamp
    return { truth: { servers, notes: [] }, nextMs: everyMs }
  }
  return startPolling(context, events, ask, everyMs)
}

/** One open file for its stamp and its text, so that both are of the same file while another takes its place. */
async function readIfChanged(path: string, known: string): Promise<{ readonly stamp: string; readonly text?: string }> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new Error(
      (error as { code?: string }).code === 'ENOENT'
        ? 'there is no such file'
        : `it cannot be opened (${(error as { code?: string }).code ?? ''})`,
    )
  })
  try {
    const before = await file.stat({ bigint: true })
    const stamp = stampOf(before)
    if (stamp === known) return { stamp }
    if (before.size > BigInt(MAX_FILE_BYTES)) throw new Error(`it is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB`)
    const text = await file.readFile('utf8')
    // Written in place while it was read: the next look sees it whole.
    if (stampOf(await file.stat({ bigint: true })) !== stamp) throw new Error('it is being written')
    return { stamp, text }
  } finally {
    await file.close()
  }
}

function stampOf({
  dev,
  ino,
  size,
  mtimeNs,
}: {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
}): string {
  return [dev, ino, size, mtimeNs].join(' ')
}
