import type { NodeSpec } from '@plimsoll/core/plugin'

/** Ollama's own reading of a model name: without a tag it means `:latest`, and case does not matter. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  return lower.slice(lower.lastIndexOf('/') + 1).includes(':') ? lower : `${lower}:latest`
}

export function isSameModel(one: string, other: string): boolean {
  return canonicalName(one) === canonicalName(other)
}

/** The names under which clients may ask for these tags: `llama3.2:latest` also answers to `llama3.2`. */
export function servedNames(tags: readonly string[]): string[] {
  const names = tags.flatMap((tag) => (tag.endsWith(':latest') ? [tag, tag.slice(0, -':latest'.length)] : [tag]))
  return [...new Set(names)]
}

/** What requests to this node will ask for: the name there, the weights, or else each name that clients may use. */
export function askedModels({ model, weights, models }: Pick<NodeSpec, 'model' | 'weights' | 'models'>): readonly string[] {
  const one = model ?? weights
  return one === undefined ? distinct(models) : [one]
}

function distinct(names: readonly string[]): string[] {
  return [...new Map(names.map((name) => [canonicalName(name), name])).values()]
}
