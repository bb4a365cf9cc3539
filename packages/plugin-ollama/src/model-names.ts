/** Ollama's own reading of a model name: without a tag it means `:latest`, and case does not matter. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  return lower.slice(lower.lastIndexOf('/') + 1).includes(':') ? lower : `${lower}:latest`
}

/** The names under which clients may ask for these tags: `llama3.2:latest` also answers to `llama3.2`. */
export function servedNames(tags: readonly string[]): string[] {
  const names = tags.flatMap((tag) => (tag.endsWith(':latest') ? [tag, tag.slice(0, -':latest'.length)] : [tag]))
  return [...new Set(names)]
}
