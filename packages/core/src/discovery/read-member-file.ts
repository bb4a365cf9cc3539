import { parseAttach } from '../topology/index.js'
import type { FoundServer } from './source.js'

export const MAX_FILE_BYTES = 1024 * 1024
const MAX_LABELS = 16
const MAX_LABEL_LENGTH = 256
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
const KEYS: ReadonlySet<string> = new Set(['url', 'name', 'weight', 'model', 'labels'])

/** The servers of a member file: a JSON list of URLs and of `{url, name?, weight?, model?, labels?}`. Throws for the first thing that is wrong, with its place; a file with a mistake is not used at all. */
export function readMemberFile(text: string): readonly FoundServer[] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    throw new Error(`it is no whole JSON${error instanceof Error ? ` (${error.message})` : ''}`, { cause: error })
  }
  if (!Array.isArray(list)) throw new Error('it must be a list, such as [{"url": "http://10.0.0.5:8000"}]')
  const servers = list.map((entry: unknown, index) => serverOf(entry, `[${index}]`))
  const names = servers.flatMap(({ name }) => name ?? [])
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new Error(`two servers are named \`${twice}\``)
  return servers
}

function serverOf(entry: unknown, at: string): FoundServer {
  if (typeof entry === 'string') return { url: urlOf(entry, at) }
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw new Error(`${at} must be a URL or {"url": ...}`)
  const { url, name, weight, model, labels, ...rest } = entry as Readonly<Record<string, unknown>>
  const [stranger] = Object.keys(rest)
  if (stranger !== undefined) throw new Error(`${at} has the key \`${stranger}\`; it takes ${[...KEYS].join(', ')}`)
  if (typeof url !== 'string') throw new Error(`${at}.url must be a text`)
  if (name !== undefined && (typeof name !== 'string' || !NAME.test(name)))
    throw new Error(`${at}.name must be lower-case letters, digits and hyphens`)
  if (weight !== undefined && (typeof weight !== 'number' || !(weight > 0) || weight > 1000))
    throw new Error(`${at}.weight must be a number over 0, at most 1000`)
  if (model !== undefined && (typeof model !== 'string' || model === '' || model.length > 1024))
    throw new Error(`${at}.model must be a text`)
  return {
    url: urlOf(url, `${at}.url`),
    ...(name === undefined ? {} : { name }),
    ...(weight === undefined ? {} : { weight }),
    ...(model === undefined ? {} : { model }),
    ...(labels === undefined ? {} : { labels: labelsOf(labels, `${at}.labels`) }),
  }
}

function urlOf(text: string, at: string): string {
  const parsed = parseAttach(text)
  if ('url' in parsed) return parsed.url
  throw new Error(`${at}: ${parsed.message}${parsed.expected === undefined ? '' : `; expected ${parsed.expected}`}`)
}

function labelsOf(labels: unknown, at: string): Readonly<Record<string, string>> {
  const entries = typeof labels === 'object' && labels !== null && !Array.isArray(labels) ? Object.entries(labels) : undefined
  const good = entries?.every(
    ([key, value]) => key.length <= MAX_LABEL_LENGTH && typeof value === 'string' && value.length <= MAX_LABEL_LENGTH,
  )
  if (entries === undefined || good !== true || entries.length > MAX_LABELS)
    throw new Error(`${at} must be at most ${MAX_LABELS} names with texts of at most ${MAX_LABEL_LENGTH} characters`)
  return Object.fromEntries(entries)
}
