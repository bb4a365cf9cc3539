import type { NodeModels, ServedModel } from '@plimsoll/core'
import { textTable, type Cell } from './text-table.js'
import { bytes, count, percent } from './units.js'

/** What each pool and node serves: a line for each model, and one for a node of which nothing is known. Ends with a line break. */
export function modelsText(nodes: readonly NodeModels[]): string {
  const rows = nodes.flatMap((node) => (node.models.length === 0 ? [emptyRow(node)] : node.models.map((model) => modelRow(node, model))))
  return textTable(['POOL', 'NODE', 'MODEL', 'CONTEXT', 'ADAPTERS', 'IN MEMORY', 'SIZE', 'CONTENT'], rows)
}

function modelRow({ pool, node, adapters }: NodeModels, model: ServedModel): readonly Cell[] {
  const { name, contextTokens, loaded, sizeBytes, contentHash } = model
  return [
    pool,
    node,
    name,
    contextTokens === undefined ? null : `${count(contextTokens)}${loaded === false ? ' at most' : ''}`,
    adapters.join(', '),
    loaded === undefined ? null : loaded ? `yes${placeOf(model)}` : 'no',
    sizeBytes === undefined ? null : bytes(sizeBytes),
    contentHash === undefined ? null : shortHash(contentHash),
  ]
}

/** Part of it on the processor is many times slower, and nothing else says so. */
function placeOf({ memoryBytes, acceleratorBytes }: ServedModel): string {
  if (memoryBytes === undefined || acceleratorBytes === undefined || acceleratorBytes >= memoryBytes) return ''
  return acceleratorBytes === 0 ? ', on the processor' : `, ${percent(acceleratorBytes / memoryBytes)} on the GPU`
}

function emptyRow({ pool, node, asked, error }: NodeModels): readonly Cell[] {
  return [pool, node, error === null ? 'serves none' : `${asked.join(', ')}: ${error}`]
}

/** Enough to tell two apart. */
export function shortHash(hash: string): string {
  return hash.replace(/^sha256:/, '').slice(0, 12)
}
