// What JSON.stringify leaves raw and a terminal or a reader could act on: DEL, C1 controls, zero-width and direction marks.
const RAW = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

/** One JSON document that is safe on a terminal and reads back to the same value. `lines: true` keeps it on one line. */
export function jsonText(value: unknown, { lines = false }: { readonly lines?: boolean } = {}): string {
  const text = JSON.stringify(value, null, lines ? 0 : 2)
  return text.replaceAll(RAW, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
