/** One sample of a Prometheus text page. */
export interface MetricSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** NaN and infinities as they were written. */
  readonly value: number
}

/** Pages of engines hold a few thousand lines; what is beyond is some other program's. */
const MOST_SAMPLES = 50_000
const LONGEST_LINE = 65_536

/**
 * Reads a Prometheus text page (exposition format 0.0.4, and OpenMetrics as far as it looks the same), for engines' plugins. Comments and lines
 * that are no samples are passed over: one odd line must not hide the load of a node. With `wanted`, the rest is not even taken apart.
 */
export function parseMetrics(text: string, wanted?: (name: string) => boolean): MetricSample[] {
  const samples: MetricSample[] = []
  let start = 0
  while (start < text.length && samples.length < MOST_SAMPLES) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    const sample = end - start > LONGEST_LINE ? undefined : sampleOf(text.slice(start, end), wanted)
    if (sample !== undefined) samples.push(sample)
    start = end + 1
  }
  return samples
}

const NAME = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*/

function sampleOf(line: string, wanted?: (name: string) => boolean): MetricSample | undefined {
  const match = NAME.exec(line)
  const name = match?.[1]
  if (match === null || name === undefined || wanted?.(name) === false) return undefined
  const rest = line.slice(match[0].length)
  const labelled = rest.startsWith('{') ? labelsOf(rest) : { labels: {}, end: 0 }
  if (labelled === undefined) return undefined
  const value = numberOf(rest.slice(labelled.end).trim().split(/\s/, 1)[0] ?? '')
  return value === undefined ? undefined : { name, labels: labelled.labels, value }
}

const LABEL = /[\s,]*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"/y
const CLOSE = /[\s,]*\}/y
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' }

function labelsOf(text: string): { readonly labels: Readonly<Record<string, string>>; readonly end: number } | undefined {
  const labels: [string, string][] = []
  let at = 1
  for (;;) {
    CLOSE.lastIndex = at
    if (CLOSE.test(text)) return { labels: Object.fromEntries(labels), end: CLOSE.lastIndex }
    LABEL.lastIndex = at
    const match = LABEL.exec(text)
    if (match === null) return undefined
    const [, name = '', value = ''] = match
    labels.push([name, value.replaceAll(/\\(.)/g, (whole, letter: string) => ESCAPES[letter] ?? whole)])
    at = LABEL.lastIndex
  }
}

function numberOf(text: string): number | undefined {
  const special = SPECIAL[text.toLowerCase()]
  if (special !== undefined) return special
  return /^[+-]?(\d|\.\d)/.test(text) && !Number.isNaN(Number(text)) ? Number(text) : undefined
}

const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  '+inf': Infinity,
  inf: Infinity,
  '-inf': -Infinity,
}
