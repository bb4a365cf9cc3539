import { createHash } from 'node:crypto'
import type { NodeSpec, WeightsPin } from '@plimsoll/core/plugin'
import { keptName } from './keep-digest.js'
import { isSameModel } from './model-names.js'
import { digestOnDisk } from './models-on-disk.js'
import { tagsAt, type Server } from './server-facts.js'

/** `sha256:<hex>` of the manifest, as a running server tells it; of several models over all of theirs. */
export async function contentAt(server: Server, asked: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  const tags = (await tagsAt(server, signal)) ?? []
  return together(asked.map((model) => tags.find(({ name }) => isSameModel(name, model))?.contentHash))
}

/** The same from the folder of a server that is not asked. */
export function contentOnDisk(folder: string, sources: readonly string[]): string | undefined {
  return together(sources.map((model) => digestOnDisk(folder, model)))
}

function together(hashes: readonly (string | undefined)[]): string | undefined {
  if (hashes.length === 0 || !hashes.every((hash) => hash !== undefined && /^sha256:[0-9a-f]{64}$/.test(hash))) return undefined
  const [only] = hashes
  return hashes.length === 1 ? only : `sha256:${createHash('sha256').update(hashes.join('\n')).digest('hex')}`
}

/** By the private tag that a pull leaves behind. */
export function pinOf(
  { weights, model }: Pick<NodeSpec, 'weights' | 'model'>,
  asked: readonly string[],
  content: string,
): WeightsPin | undefined {
  const [name, ...more] = asked
  if (name === undefined || more.length > 0 || !/^sha256:[0-9a-f]{64}$/.test(content)) return undefined
  const kept = keptName(weights ?? name, content)
  return { weights: kept, ...(model === undefined && weights !== undefined ? {} : { model: kept }) }
}
