import { messageOf } from '@plimsoll/core/plugin'
import { canonicalName, isSameModel } from './model-names.js'
import { loadedAt, type Server, type Tag, tagsAt } from './server-facts.js'

/** Of one model; a server's disk is not ours to fill. */
const MOST_KEPT = 3
const PREFIX = 'lb-keep/'

/** The private tag of what a name meant once: `lb-keep/llama3.2:0f12ab34cd56`. */
export function keptName(model: string, digest: string): string {
  const name = canonicalName(model).replace(/:latest$/, '')
  return `${PREFIX}${name.replaceAll(/[^a-z0-9._-]/g, '-').slice(0, 60)}:${digest.replace(/^sha256:/, '').slice(0, 12)}`
}

/**
 * Before a pull: what the name means now gets a private tag, so that it can be gone back to. Resolves with what takes the tag off again where the pull has
 * brought nothing new, and old ones with it. A server that cannot do it is no reason not to pull.
 */
export async function keepDigest(server: Server, model: string, signal: AbortSignal): Promise<(after: Tag | undefined) => Promise<void>> {
  try {
    const tags = (await tagsAt(server, signal)) ?? []
    const before = tags.find(({ name, isCloud }) => isSameModel(name, model) && !isCloud)
    const kept = before?.contentHash === undefined || before.name.startsWith(PREFIX) ? undefined : keptName(model, before.contentHash)
    if (before === undefined || kept === undefined || tags.some(({ name }) => isSameModel(name, kept))) return settled
    const { status } = await ask(server, 'POST', '/api/copy', { source: before.name, destination: kept }, signal)
    if (status !== 200) throw new Error(`/api/copy answered ${status}`)
    return (after) => tidy(server, { kept, isNews: after?.contentHash !== before.contentHash, signal })
  } catch (error) {
    server.host.log.warn('ollama.not_kept', { model, error: messageOf(error) })
    return settled
  }
}

async function settled(): Promise<void> {}

/** The newest stay, and what is in memory. */
async function tidy(server: Server, { kept, isNews, signal }: { kept: string; isNews: boolean; signal: AbortSignal }): Promise<void> {
  try {
    if (!isNews) return void (await ask(server, 'DELETE', '/api/delete', { model: kept }, signal))
    const [tags = [], loaded = []] = await Promise.all([tagsAt(server, signal), loadedAt(server, signal)])
    const alike = tags.map(({ name }) => name).filter((name) => name.startsWith(`${kept.slice(0, kept.lastIndexOf(':'))}:`))
    const others = alike.filter((name) => name !== kept)
    const surplus = others.slice(MOST_KEPT - 1).filter((name) => !loaded.some((each) => isSameModel(each.name, name)))
    for (const model of surplus) await ask(server, 'DELETE', '/api/delete', { model }, signal)
  } catch (error) {
    server.host.log.warn('ollama.not_tidied', { model: kept, error: messageOf(error) })
  }
}

function ask({ root, host, headers }: Server, method: 'POST' | 'DELETE', path: string, body: object, signal: AbortSignal) {
  return host.send(method, `${root}${path}`, { signal, headers, body })
}
