import { LbError, messageOf, type PullProgress } from '@plimsoll/core/plugin'
import { diagnose } from './diagnose.js'
import { keepDigest } from './keep-digest.js'
import { isSameModel } from './model-names.js'
import { readJson } from './read-json.js'
import { tagsAt, type Server } from './server-facts.js'

export interface PullOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: PullProgress) => void
}

/**
 * Has a server fetch a model. What is there of it already is kept: a pull that ended early goes on where it was. Ends with the digest that the server
 * then tells. Throws LB_PULL_FAILED, also for an error that comes as a line behind status 200, and for an answer that just ends.
 */
export async function pull(server: Server, model: string, options: PullOptions): Promise<{ readonly contentHash?: string }> {
  const parts = new Map<string, { done: number; total: number | undefined }>()
  let succeeded = false
  const tidy = await keepDigest(server, model, options.signal)
  try {
    const { root, host, headers } = server
    for await (const text of host.lines(`${root}/api/pull`, { signal: options.signal, headers, body: { model, stream: true } })) {
      const line = readJson(text)
      if (line === undefined) continue
      const { error } = line
      if (error !== undefined) throw pullFailed(model, typeof error === 'string' ? error : JSON.stringify(error))
      succeeded = line['status'] === 'success'
      count(parts, line)
      options.onProgress(progressOf(parts, line))
    }
  } catch (cause) {
    if (options.signal.aborted) throw options.signal.reason
    throw cause instanceof LbError && cause.code === 'LB_PULL_FAILED' ? cause : pullFailed(model, refusalIn(messageOf(cause)), cause)
  } finally {
    await tidy()
  }
  if (!succeeded) throw pullFailed(model, 'the server ended its answer before it said success')
  const tag = (await tagsAt(server, options.signal))?.find(({ name }) => isSameModel(name, model))
  return tag?.contentHash === undefined ? {} : { contentHash: tag.contentHash }
}

function count(parts: Map<string, { done: number; total: number | undefined }>, line: Readonly<Record<string, unknown>>): void {
  const { digest, total, completed } = line
  if (typeof digest !== 'string') return
  parts.set(digest, { done: typeof completed === 'number' ? completed : 0, total: typeof total === 'number' ? total : undefined })
}

/** Bytes over all parts that were named so far. No total where a part does not tell its own. */
function progressOf(
  parts: ReadonlyMap<string, { done: number; total: number | undefined }>,
  line: Readonly<Record<string, unknown>>,
): PullProgress {
  const step = typeof line['status'] === 'string' ? line['status'] : 'pulling'
  const all = [...parts.values()]
  if (all.length === 0) return { step }
  const doneBytes = all.reduce((sum, { done }) => sum + done, 0)
  const known = all.every(({ total }) => total !== undefined)
  return { step, doneBytes, ...(known ? { totalBytes: all.reduce((sum, { total = 0 }) => sum + total, 0) } : {}) }
}

/** The host's words for a refusal hold the server's JSON: its text is what people need. */
function refusalIn(message: string): string {
  const said = readJson(message.slice(message.indexOf('{')))?.['error']
  return typeof said === 'string' ? said : message
}

function pullFailed(model: string, why: string, cause?: unknown): LbError {
  const hint = diagnose(why)?.hint ?? 'try again: what was fetched is kept; the log of the Ollama server may say more'
  return new LbError(`${model} cannot be pulled: ${why}`, { code: 'LB_PULL_FAILED', source: 'engine', hint, cause })
}
