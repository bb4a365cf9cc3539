import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LbError, messageOf } from '../errors/index.js'
import { TopologyErrors } from './topology-errors.js'
import { readLimits } from './read-document.js'
import type { TopologySource } from './topology-source.js'

export interface LoadOptions {
  readonly cwd: string
  /** Read this instead of searching; relative to `cwd`. */
  readonly file?: string
}

const searchPlaces = ['lb.yaml', 'lb.yml', 'lb.json', 'lb.config.ts', 'lb.config.mts', 'lb.config.js', 'lb.config.mjs', '.config/lb.yaml']

/**
 * Finds the topology (from `cwd` up to the folder of the nearest package.json) and reads it, unchecked.
 * Errors: LB_TOPOLOGY_NOT_FOUND, LB_TOPOLOGY_UNREADABLE; TopologyErrors where the file is too large or not UTF-8.
 */
export async function loadTopologyFile(options: LoadOptions): Promise<{ readonly source: TopologySource }> {
  const file = options.file === undefined ? await search(options.cwd) : resolve(options.cwd, options.file)
  const shown = shownPath(file, options.cwd)
  const extension = extname(file)
  if (['.ts', '.mts', '.js', '.mjs'].includes(extension))
    return { source: { kind: 'code', file, shown, value: await importDefault(file, shown) } }
  const text = await readText(file, shown)
  return { source: { kind: 'text', file, shown, format: extension === '.json' ? 'json' : 'yaml', text } }
}

/** cosmiconfig only finds: reading is ours, because it has to know lines and columns. */
function onlyFound(path: string): { path: string } {
  return { path }
}

async function search(cwd: string): Promise<string> {
  const { cosmiconfig } = await import('cosmiconfig')
  const extensions = ['.yaml', '.yml', '.json', '.ts', '.mts', '.js', '.mjs']
  const explorer = cosmiconfig('lb', {
    searchPlaces,
    searchStrategy: 'project',
    ignoreEmptySearchPlaces: false,
    cache: false,
    loaders: Object.fromEntries(extensions.map((extension) => [extension, onlyFound])),
  })
  const result = await explorer.search(cwd)
  if (result !== null) return result.filepath
  throw new LbError(`there is no lb.yaml in ${cwd}, nor in the folders above it`, {
    code: 'LB_TOPOLOGY_NOT_FOUND',
    source: 'operator',
    hint: 'lb init writes one; --file names one that stands elsewhere',
  })
}

async function readText(file: string, shown: string): Promise<string> {
  const bytes = await readBytes(file, shown)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw notUtf8(shown, bytes)
  }
}

function notUtf8(file: string, bytes: Uint8Array): TopologyErrors {
  const lossy = new TextDecoder('utf-8', { ignoreBOM: true })
  const text = lossy.decode(bytes)
  const again = Buffer.from(text)
  const good = lossy
    .decode(
      bytes.subarray(
        0,
        bytes.findIndex((byte, at) => byte !== again[at]),
      ),
    )
    .replaceAll(/^\uFEFF|\uFFFD$/g, '')
  const lines = good.split('\n')
  const place = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, width: 1, keyPath: '' }
  const hint = 'save it as UTF-8; an editor or a copy has put bytes of another encoding here'
  return new TopologyErrors([{ file, ...place, message: 'the file is not UTF-8', hint }], text)
}

async function readBytes(file: string, shown: string): Promise<Uint8Array> {
  try {
    const parts: Buffer[] = []
    // No more than that, whatever its size is said to be: devices and pipes have none.
    for await (const part of createReadStream(file, { end: readLimits.bytes }) as AsyncIterable<Buffer>) parts.push(part)
    const bytes = Buffer.concat(parts)
    if (bytes.byteLength > readLimits.bytes) throw wholeFile(shown, 'the file is larger than 1 MiB')
    return bytes
  } catch (error) {
    if (error instanceof TopologyErrors) throw error
    throw cannotRead(shown, error)
  }
}

/** A fresh module each time the file changes: a reload must see what was saved. Modules that it imports stay as first loaded. */
async function importDefault(file: string, shown: string): Promise<unknown> {
  try {
    const { mtimeMs, size } = await stat(file)
    const module = (await import(`${pathToFileURL(file).href}?v=${mtimeMs}-${size}`)) as { readonly default?: unknown }
    if (module.default !== undefined) return module.default
  } catch (error) {
    throw cannotRead(shown, error)
  }
  throw wholeFile(shown, 'the module has no default export', 'write export default defineTopology({ ... })')
}

function cannotRead(shown: string, error: unknown): LbError {
  const missing = (error as { code?: unknown }).code === 'ENOENT'
  if (missing)
    return new LbError(`there is no file ${shown}`, {
      code: 'LB_TOPOLOGY_NOT_FOUND',
      source: 'operator',
      hint: 'lb init writes one',
      cause: error,
    })
  const isFolder = (error as { code?: unknown }).code === 'EISDIR'
  return new LbError(`${shown} cannot be read: ${isFolder ? 'it is a folder' : messageOf(error)}`, {
    code: 'LB_TOPOLOGY_UNREADABLE',
    source: 'operator',
    hint: isFolder ? `--file ${join(shown, 'lb.yaml')}, or cd there` : 'look at the path, its rights and its links',
    cause: error,
  })
}

function wholeFile(file: string, message: string, hint?: string): TopologyErrors {
  return new TopologyErrors(
    [{ file, line: 0, column: 0, width: 1, keyPath: '', message, ...(hint === undefined ? {} : { hint }) }],
    undefined,
  )
}

function shownPath(file: string, cwd: string): string {
  const path = relative(cwd, file)
  return path.startsWith('..') ? file : path
}
