/** The ratios to nginx as an SVG: one panel for each figure, one bar for each proxy, the 90 % interval as a whisker. */
import { short, yardstick } from './table.js'

/** @typedef {import('./table.js').Row} Row */

const width = 760
const margin = 20
const nameWidth = 110
const valueWidth = 170
const barHeight = 16
const rowHeight = 24
const panelHead = 34
const headHeight = 64
const barsWidth = width - 2 * margin - nameWidth - valueWidth
/** Bars end here, or one slow proxy would make all others look alike. */
const longest = 5

/** @type {Readonly<Record<string, string>>} */
const titles = {
  json1k: 'CPU per 1 KB request',
  'sse-paced': 'CPU per SSE event, 200 streams, one each 10 ms',
  'sse-unpaced': 'CPU per SSE event, 32 streams, as fast as they come',
  body64k: 'CPU per request with a 64 KB body',
  body512k: 'CPU per request with a 512 KB body',
  memory: 'Memory per open stream',
}

/**
 * @param {readonly Row[]} rows
 * @param {string} subtitle
 */
export function chartOf(rows, subtitle) {
  const panels = Object.entries(titles).flatMap(([figure, title]) => {
    const bars = rows.filter((row) => row.figure === figure && row.ratio !== undefined)
    return bars.length === 0 ? [] : [{ title, unit: figure === 'memory' ? 'KB' : 'us', bars }]
  })
  let top = headHeight
  const drawn = panels.map((panel) => {
    const at = top
    top += panelHead + panel.bars.length * rowHeight + 14
    return panelOf(panel, at)
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${width}" height="${top}" fill="#ffffff"/>
<text x="${margin}" y="30" font-size="18" font-weight="600" fill="#1a1a1a">Cost next to ${yardstick} (shorter is better)</text>
<text x="${margin}" y="50" fill="#666666">${escaped(subtitle)}</text>
${drawn.join('\n')}
</svg>
`
}

/**
 * @param {{ title: string, unit: string, bars: readonly Row[] }} panel
 * @param {number} top
 */
function panelOf({ title, unit, bars }, top) {
  const left = margin + nameWidth
  const first = top + panelHead - 8
  const one = left + barsWidth / longest
  const last = first + bars.length * rowHeight
  return `<text x="${margin}" y="${top + 16}" font-weight="600" fill="#1a1a1a">${escaped(title)}</text>
<line x1="${one}" y1="${first - 4}" x2="${one}" y2="${last}" stroke="#999999" stroke-dasharray="3 3"/>
${bars.map((row, at) => barOf(row, { left, top: first + at * rowHeight, unit })).join('\n')}`
}

/**
 * @param {Row} row
 * @param {{ left: number, top: number, unit: string }} place
 */
function barOf({ proxy, value, ratio }, { left, top, unit }) {
  const { median, low, high } = ratio ?? { median: 0, low: 0, high: 0 }
  const at = (/** @type {number} */ times) => Math.round((Math.min(times, longest) / longest) * barsWidth)
  const middle = top + barHeight / 2
  const fill = proxy.startsWith('lb-') ? '#2563eb' : '#b8bec9'
  const cut = median > longest ? ' (cut)' : ''
  const whisker = median > longest ? '' : `<path d="M${left + at(low)} ${middle}H${left + at(high)}" stroke="#1a1a1a" stroke-width="2"/>`
  return `<text x="${left - 8}" y="${top + 12}" text-anchor="end" fill="#1a1a1a">${escaped(proxy)}</text>
<rect x="${left}" y="${top}" width="${at(median)}" height="${barHeight}" fill="${fill}"/>${whisker}
<text x="${left + at(Math.max(median, high)) + 8}" y="${top + 12}" fill="#444444">${median.toFixed(2)}x${cut}, ${short(value.median)} ${unit}</text>`
}

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
