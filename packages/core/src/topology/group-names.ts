import { recordOf } from './key-path.js'

/** The names of a pool's node groups: as declared, else the engine's, numbered (`x`, `x2`) where it repeats; `x-2` would look like a replica. */
export function groupNames(nodes: readonly unknown[]): readonly string[] {
  const taken = new Set(nodes.map((node) => recordOf(node)['name']).filter((name) => typeof name === 'string'))
  return nodes.map((node) => {
    const { name, engine } = recordOf(node)
    if (typeof name === 'string') return name
    const base = typeof engine === 'string' ? slug(engine, 'node') : 'node'
    let free = base
    for (let number = 2; taken.has(free); number++) free = `${base}${number}`
    taken.add(free)
    return free
  })
}

/** Lower-case letters, digits and hyphens; `fallback` where nothing is left. */
export function slug(text: string, fallback: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return plain.slice(0, 40).replace(/-+$/, '') || fallback
}
