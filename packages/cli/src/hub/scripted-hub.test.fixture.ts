/** A Hugging Face hub by its manners: commits, large and small files, ranges, a second host for the bytes. Written after its public API. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HubAsked {
  readonly at: 'hub' | 'store'
  readonly path: string
  readonly range: string | undefined
  readonly authorization: string | undefined
}

export interface ScriptedRepository {
  readonly files: Readonly<Record<string, Buffer>>
  /** What `main` means. */
  readonly commit?: string
  /** Only for who has this token and accepted the terms. */
  readonly gatedFor?: string
  /** What large files are said to weigh. */
  readonly claimedBytes?: number
  /** Seen only with this token. */
  readonly privateFor?: string
}

const usualCommit = 'c'.repeat(40)
/** Over this size a file is told by its SHA-256 and comes from the store. */
const largeBytes = 1024

export class ScriptedHub {
  readonly asked: HubAsked[] = []
  url = ''
  storeUrl = ''
  /** A file's bytes stop after so many, once for each entry. */
  readonly cutAfter: number[] = []
  takesRanges = true
  /** Instead of the true content. */
  readonly forged = new Map<string, Buffer>()
  /** Milliseconds between pieces of a large file. */
  paceMs = 0
  private readonly hub: Server
  private readonly store: Server

  constructor(readonly repositories: Record<string, ScriptedRepository>) {
    this.hub = createServer((request, response) => this.answer(request, response))
    this.store = createServer((request, response) => void this.give(request, response))
  }

  async listen(): Promise<this> {
    const start = (server: Server): Promise<string> =>
      new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(String((server.address() as AddressInfo).port))))
    this.url = `http://127.0.0.1:${await start(this.hub)}`
    // Another host for cookies and tokens.
    this.storeUrl = `http://localhost:${await start(this.store)}`
    return this
  }

  async close(): Promise<void> {
    await Promise.all(
      [this.hub, this.store].map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve())
            server.closeAllConnections()
          }),
      ),
    )
  }

  private note(at: HubAsked['at'], { url = '', headers }: IncomingMessage): void {
    this.asked.push({ at, path: url, range: headers.range, authorization: headers.authorization })
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.note('hub', request)
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '')
    const token = request.headers.authorization?.replace('Bearer ', '')
    const info = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/(.+)$/.exec(path)
    const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path)
    const repository = this.repositories[info?.[1] ?? file?.[1] ?? '']
    if (repository === undefined || (repository.privateFor !== undefined && token !== repository.privateFor))
      return refuse(response, token === undefined ? 401 : 404, 'RepoNotFound')
    const commit = repository.commit ?? usualCommit
    if (info !== null) {
      if (info[2] !== 'main' && info[2] !== commit) return refuse(response, 404, 'RevisionNotFound')
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(infoOf(info[1] ?? '', commit, repository)))
    }
    if (repository.gatedFor !== undefined && token !== repository.gatedFor)
      return refuse(response, token === undefined ? 401 : 403, 'GatedRepo')
    const content = repository.files[file?.[3] ?? '']
    if (content === undefined || file?.[2] !== commit) return refuse(response, 404, 'EntryNotFound')
    if (content.byteLength <= largeBytes) return void response.writeHead(200).end(this.forged.get(file[3] ?? '') ?? content)
    response.writeHead(302, { location: `${this.storeUrl}${path}`, 'x-repo-commit': commit }).end()
  }

  /** The bytes of large files, by ranges. */
  private async give(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.note('store', request)
    const [, repo = '', name = ''] = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(decodeURIComponent(request.url ?? '')) ?? []
    const content = this.forged.get(name) ?? this.repositories[repo]?.files[name] ?? Buffer.alloc(0)
    const from = this.takesRanges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
    if (from > content.byteLength) return void response.writeHead(416).end()
    const body = content.subarray(from)
    const range = { 'content-range': `bytes ${from}-${content.byteLength - 1}/${content.byteLength}` }
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.byteLength, ...(from > 0 ? range : {}) })
    const end = this.cutAfter.shift() ?? body.byteLength
    for (let at = 0; at < Math.min(end, body.byteLength); at += 1000) {
      response.write(body.subarray(at, Math.min(end, at + 1000)))
      if (this.paceMs > 0) await new Promise((resolve) => setTimeout(resolve, this.paceMs))
    }
    if (end >= body.byteLength) response.end()
    else setImmediate(() => response.destroy())
  }
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

export function gitSha1(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex')
}

/** Bytes that are not all alike. */
export function bytesOf(seed: string, length: number): Buffer {
  const parts = Array.from({ length: Math.ceil(length / 32) }, (_, index) => createHash('sha256').update(`${seed}${index}`).digest())
  return Buffer.concat(parts).subarray(0, length)
}

function infoOf(id: string, sha: string, { files, claimedBytes }: ScriptedRepository): object {
  const siblings = Object.entries(files).map(([rfilename, content]) => ({
    rfilename,
    size: content.byteLength,
    blobId: gitSha1(content),
    ...(content.byteLength > largeBytes
      ? { lfs: { sha256: sha256(content), size: claimedBytes ?? content.byteLength, pointerSize: 134 } }
      : {}),
  }))
  return { id, modelId: id, sha, private: false, gated: false, siblings }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code, 'x-error-message': code }).end(`{"error":"${code}"}`)
}
