import { parseAttach } from './addresses.js'
import { isSourceText, parseResolver, parseSource } from './attach-source.js'
import type { Finding } from './finding.js'
import { recordOf, type KeyPath } from './key-path.js'

interface AttachAt {
  readonly pool: string
  readonly path: KeyPath
  readonly baseDir: string
}

const SOURCES = 'dns:HOST:PORT, srv:NAME, file:PATH or kubernetes:NAMESPACE/SERVICE'
/** Which keys of the long form go with which source. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  dns: ['every', 'resolver'],
  srv: ['every', 'resolver'],
  file: ['every'],
  kubernetes: ['server', 'tokenFile', 'caFile', 'kubeconfig'],
}

/** What `attach` says: a URL, several of them, or a source that names servers while the balancer runs. */
export function checkAttach(attach: unknown, at: AttachAt): Finding[] {
  if (Array.isArray(attach)) return attach.flatMap((entry, index) => checkUrlOfList(entry, { ...at, path: [...at.path, index] }, attach))
  if (typeof attach === 'object' && attach !== null) return checkLongForm(recordOf(attach), at)
  if (typeof attach !== 'string' || attach === '') return []
  return isSourceText(attach) ? checkSource(attach, at) : checkUrl(attach, at)
}

function checkUrl(text: string, { pool, path }: AttachAt): Finding[] {
  const parsed = parseAttach(text)
  if ('url' in parsed) return []
  return [{ path, at: 'value', ...parsed, message: `pool ${pool}: ${parsed.message}` }]
}

function checkUrlOfList(entry: unknown, at: AttachAt, list: readonly unknown[]): Finding[] {
  if (typeof entry !== 'string' || entry === '') return []
  const { pool, path } = at
  if (isSourceText(entry))
    return [
      {
        path,
        at: 'value',
        message: `pool ${pool}: \`${entry}\` is a source; a list takes URLs only`,
        hint: 'give it a node group of its own',
      },
    ]
  const own = path.at(-1)
  const same = list.findIndex((other) => typeof other === 'string' && urlOf(other) !== undefined && urlOf(other) === urlOf(entry))
  if (typeof own === 'number' && same !== -1 && same < own)
    return [{ path, at: 'value', message: `pool ${pool}: \`${entry}\` stands twice in this list`, hint: 'use weight for a larger server' }]
  return checkUrl(entry, at)
}

function urlOf(text: string): string | undefined {
  const parsed = parseAttach(text)
  return 'url' in parsed ? parsed.url : undefined
}

function checkSource(text: string, { pool, path, baseDir }: AttachAt): Finding[] {
  const parsed = parseSource(text, baseDir)
  return 'source' in parsed ? [] : [{ path, at: 'value', ...parsed, message: `pool ${pool}: ${parsed.message}` }]
}

function checkLongForm(form: Readonly<Record<string, unknown>>, at: AttachAt): Finding[] {
  const { pool, path } = at
  const from = form['from']
  if (typeof from !== 'string' || from === '') return []
  const here = [...path, 'from']
  if (!isSourceText(from)) return [{ path: here, at: 'value', message: `pool ${pool}: \`${from}\` is no source`, expected: SOURCES }]
  const kind = from.slice(0, from.indexOf(':'))
  const strangers = Object.keys(form).filter((key) => key !== 'from' && !key.startsWith('x-') && KEYS[kind]?.includes(key) !== true)
  return [
    ...checkSource(from, { ...at, path: here }),
    ...strangers.map((key): Finding => ({
      path: [...path, key],
      at: 'key',
      message: `pool ${pool}: \`${key}\` says nothing to ${kind}:`,
      hint: `it takes ${(KEYS[kind] ?? []).join(', ')}`,
    })),
    ...checkResolver(form['resolver'], at),
    ...checkServer(form['server'], at),
  ]
}

function checkResolver(resolver: unknown, { pool, path }: AttachAt): Finding[] {
  if (typeof resolver !== 'string' || resolver === '' || parseResolver(resolver) !== undefined) return []
  const message = `pool ${pool}: \`${resolver}\` is no address of a DNS server`
  return [{ path: [...path, 'resolver'], at: 'value', message, expected: 'an IP address, with or without a port, such as 10.0.0.2:53' }]
}

function checkServer(server: unknown, { pool, path }: AttachAt): Finding[] {
  return typeof server !== 'string' || server === '' ? [] : checkUrl(server, { pool, path: [...path, 'server'], baseDir: '' })
}
