import { resolve } from 'node:path'
import { parseAttach } from './addresses.js'
import { isSourceText, parseResolver, parseSource, type AttachSource, type AttachSourceInput } from './attach-source.js'
import { memberGroup, named } from './members.js'
import { formatDuration, parseDuration } from './quantities.js'
import type { GroupPlan } from './topology.js'

/** The groups that one entry with `attach` becomes: a list of URLs is one for each, named by host and port. */
export function attachedGroups(
  group: Omit<GroupPlan, 'attach' | 'source' | 'launch'>,
  attach: string | readonly string[] | AttachSourceInput,
  baseDir: string,
): readonly GroupPlan[] {
  if (typeof attach === 'string' && !isSourceText(attach)) return [{ ...group, attach: { url: urlOf(attach) } }]
  if (typeof attach === 'string') return [{ ...group, source: sourceOf({ from: attach }, baseDir) }]
  if (!isList(attach)) return [{ ...group, source: sourceOf(attach, baseDir) }]
  const urls = attach.map(urlOf)
  const names = new Map(named(urls.map((url) => ({ url }))).map(({ url, name }) => [url, name]))
  return urls.map((url) => memberGroup(group, { name: names.get(url) ?? '', url, weight: 1, rank: 0 }))
}

function isList(attach: readonly string[] | AttachSourceInput): attach is readonly string[] {
  return Array.isArray(attach)
}

function urlOf(text: string): string {
  const parsed = parseAttach(text)
  return 'url' in parsed ? parsed.url : text
}

/** The input has passed all checks. */
function sourceOf(input: AttachSourceInput, baseDir: string): AttachSource {
  const parsed = parseSource(input.from, baseDir)
  if (!('source' in parsed)) throw new Error(parsed.message)
  const everyMs = input.every === undefined ? undefined : parseDuration(input.every)
  const resolver = input.resolver === undefined ? undefined : parseResolver(input.resolver)
  const path = (key: 'tokenFile' | 'caFile' | 'kubeconfig') => (input[key] === undefined ? {} : { [key]: resolve(baseDir, input[key]) })
  return {
    ...parsed.source,
    ...(everyMs === undefined ? {} : { everyMs }),
    ...(resolver === undefined ? {} : { resolver }),
    ...(input.server === undefined ? {} : { server: urlOf(input.server) }),
    ...path('tokenFile'),
    ...path('caFile'),
    ...path('kubeconfig'),
  }
}

/** A source in the words of the file. */
export function sourceForm(source: AttachSource): string | Readonly<Record<string, string>> {
  const { kind: _kind, from, ...rest } = source
  const { everyMs, resolver, server, tokenFile, caFile, kubeconfig }: LongForm = rest
  const every = everyMs === undefined ? undefined : formatDuration(everyMs)
  const keys = Object.entries({ every, resolver, server, tokenFile, caFile, kubeconfig })
  const given = keys.filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? from : { from, ...Object.fromEntries(given) }
}

type LongForm = Partial<Readonly<Record<'resolver' | 'server' | 'tokenFile' | 'caFile' | 'kubeconfig', string>>> & {
  readonly everyMs?: number
}
