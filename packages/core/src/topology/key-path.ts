/** Where a value stands in the document: keys and 0-based indexes from the top. */
export type KeyPath = readonly (string | number)[]

/** `pools.chat.nodes[0].launch`; keys with odd characters are quoted. */
export function keyPathText(path: KeyPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}

/** How an error names the place in a sentence: "pool chat", "launch", "nodes[0] of pool chat". */
export function placeName(path: KeyPath): string {
  if (path.length === 0) return 'the topology'
  if (path[0] === 'pools' && path.length === 2) return `pool ${path[1]}`
  if (path[0] === 'pools' && path.length === 4 && path[2] === 'nodes') return `nodes[${path[3]}] of pool ${path[1]}`
  const lastKey = path.findLastIndex((step) => typeof step === 'string')
  return keyPathText(path.slice(Math.max(0, lastKey)))
}

/** JSON pointer to path; steps that are indexes come back as numbers where the parent is an array. */
export function pathOfPointer(pointer: string, root: unknown): KeyPath {
  const path: (string | number)[] = []
  let value = root
  for (const raw of pointer.split('/').slice(1)) {
    const step = raw.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(value) ? Number(step) : step)
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined
  }
  return path
}

/** What stands at a path, undefined where the path leaves the data. */
export function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

/** The value as a map of keys; empty where it is something else, whose own error the schema brings. */
export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
