import { isAbsolute } from 'node:path'
import { LbError } from '@plimsoll/core'
import type { HubClient } from './hub-client.js'
import type { HubReference } from './hub-reference.js'

/** One file of a repository, as the hub tells it. */
export interface HubFile {
  readonly path: string
  readonly bytes: number
  /** Of the content; told for large files. */
  readonly sha256?: string
  /** Of git's blob; told for small ones. */
  readonly gitSha1?: string
}

export interface HubRevision {
  readonly commit: string
  readonly files: readonly HubFile[]
}

/** What a branch or tag means right now. Throws LB_MODEL_NOT_FOUND and its like, LB_HUB_ODD for an answer that makes no sense. */
export async function readRevision(hub: HubClient, { repo, revision = 'main' }: HubReference): Promise<HubRevision> {
  const what = revision === 'main' ? repo : `${repo}@${revision}`
  const answer = await hub.json(`/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`, { what, repo })
  const { sha, siblings } = (typeof answer === 'object' && answer !== null ? answer : {}) as { sha?: unknown; siblings?: unknown }
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) throw odd(`no commit and files of ${what}`)
  return { commit: sha, files: siblings.flatMap((each) => fileOf(each)) }
}

/** A name that leads out of its folder is no name. */
function fileOf(entry: unknown): HubFile[] {
  const { rfilename, size, blobId, lfs } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>
  if (typeof rfilename !== 'string' || rfilename === '') return []
  if (
    isAbsolute(rfilename) ||
    /[\\\0]/.test(rfilename) ||
    rfilename.split('/').some((part) => part === '' || part === '.' || part === '..')
  )
    throw odd(`a file called \`${rfilename}\``)
  const large = (typeof lfs === 'object' && lfs !== null ? lfs : {}) as { sha256?: unknown; size?: unknown }
  const bytes = typeof large.size === 'number' ? large.size : size
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) throw odd(`no size of ${rfilename}`)
  const isHash = (value: unknown, digits: number): value is string =>
    typeof value === 'string' && new RegExp(`^[0-9a-f]{${digits}}$`).test(value)
  if (isHash(large.sha256, 64)) return [{ path: rfilename, bytes, sha256: large.sha256 }]
  return [{ path: rfilename, bytes, ...(isHash(blobId, 40) ? { gitSha1: blobId } : {}) }]
}

function odd(what: string): LbError {
  return new LbError(`the hub's answer makes no sense: ${what}`, {
    code: 'LB_HUB_ODD',
    source: 'engine',
    hint: 'is HF_ENDPOINT a hub? A proxy that wants a login answers instead of it, too',
  })
}
