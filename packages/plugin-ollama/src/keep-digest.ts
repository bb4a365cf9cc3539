import { messageOf } from '@plimsoll/core/plugin'
import { canonicalName, isSameModel } from './model-names.js'
import { loadedAt, type Server, tagsAt } from './server-facts.js'

/** Of one model; a server's disk is not ours to fill. */
const MOST_KEPT = 3
const PREFIX = 'lb-keep/'

/** The private tag of what a name meant once: `lb-keep/llama3.2:0f12ab34cd56`. */
export function keptName(model: string, digest: string): string {
  const name = canonicalName(model).replace(/:latest$/, '')
  return `${PREFIX}${name.replaceAll(/[^a-z0-9._-]/g, '-').slice(0, 60)}:${digest.replace(/^sha256:/, '').slice(0, 12)}`
}

/** The server's own disk; it answers at once, or not. */
const TIDY_WITHIN_MS = 5_000

/**
 * Before a pull: what the name means now gets a private tag, so that it can be gone back to. Resolves with what is to be done after the pull, however it ended: the
 * tag goes where nothing new came, old ones where it did. A server that cannot do it is no reason not to pull.
 */
export async function keepDigest(server: Server, model: string, signal: AbortSignal): Promise<() => Promise<void>> {
  try {
    const tags = (await tagsAt(server, signal)) ?? []
    const before = tags.find(({ name, isCloud }) => isSameModel(name, model) && !isCloud)
    const kept = before?.contentHash === undefined || before.name.startsWith(PREFIX) ? undefined : keptName(model, before.contentHash)
    if (before === undefined || kept === undefined || tags.some(({ name }) => isSameModel(name, kept))) return nothing
    const { status } = await ask(server, 'POST', '/api/copy', { source: before.name, destination: kept }, signal)
    if (status !== 200) throw new Error(`/api/copy answered ${status}`)
    return () => tidy(server, { model, kept, before: before.contentHash })
  } catch (error) {
    server.host.log.warn('ollama.not_kept', { model, error: messageOf(error) })
    return nothing
  }
}

async function nothing(): Promise<void> {}

interface Kept {
  readonly model: string
  readonly kept: string
  /** The digest that is kept. */
  readonly before: string | undefined
}

/** The newest stay, and what is in memory. Never throws. */
async function tidy(server: Server, { model, kept, before }: Kept): Promise<void> {
  const signal = AbortSignal.timeout(TIDY_WITHIN_MS)
  try {
    const [tags = [], loaded = []] = await Promise.all([tagsAt(server, signal), loadedAt(server, signal)])
    const isStill = tags.find(({ name }) => isSameModel(name, model))?.contentHash === before
    const alike = tags.map(({ name }) => name).filter((name) => name.startsWith(`${kept.slice(0, kept.lastIndexOf(':'))}:`))
    const older = alike.filter((name) => name !== kept).slice(MOST_KEPT - 1)
    const surplus = isStill ? [kept] : older.filter((name) => !loaded.some((each) => isSameModel(each.name, name)))
    for (const name of surplus) await ask(server, 'DELETE', '/api/delete', { model: name }, signal)
  } catch (error) {
    server.host.log.warn('ollama.not_tidied', { model: kept, error: messageOf(error) })
  }
}

function ask({ root, host, headers }: Server, method: 'POST' | 'DELETE', path: string, body: object, signal: AbortSignal) {
  return host.send(method, `${root}${path}`, { signal, headers, body })
}
