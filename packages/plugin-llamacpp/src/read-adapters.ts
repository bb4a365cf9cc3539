import { basename } from 'node:path'

/** Names of the adapters in `/lora-adapters`: their files', for they have no other. Requests name them by their place in this list. */
export function readAdapters(text: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) ? list.flatMap(nameOf) : []
  } catch {
    return []
  }
}

function nameOf(adapter: unknown): readonly string[] {
  const path = typeof adapter === 'object' && adapter !== null ? (adapter as { path?: unknown }).path : undefined
  return typeof path === 'string' ? [basename(path, '.gguf')] : []
}
