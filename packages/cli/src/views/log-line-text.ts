import { fit } from './board/index.js'
import { jsonText } from './json-text.js'
import { sanitize } from './sanitize.js'

/** One line of a log, with its source in front when several are shown. Engines write what they like: all of it is made safe. */
export function logLineText(
  line: { readonly label: string; readonly text: string },
  options: { readonly json: boolean; readonly width: number },
): string {
  if (options.json) return `${jsonText({ source: line.label, text: line.text }, { lines: true })}\n`
  const label = options.width === 0 ? '' : `${fit(sanitize(line.label), options.width)} | `
  return `${label}${sanitize(line.text).replaceAll('\\t', '  ')}\n`
}
