/** The figures as a table for a terminal or a Markdown page: median, its 90 % interval, and the ratio to nginx of the same rounds. */
import { summaryOf } from './statistics.js'

/** @typedef {import('./bench.js').Sample} Sample */
/** @typedef {import('./statistics.js').Summary} Summary */
/** @typedef {{ figure: string, proxy: string, value: Summary, ratio: Summary | undefined }} Row */

export const yardstick = 'nginx'

/**
 * @param {readonly Sample[]} samples
 * @returns {readonly Row[]}
 */
export function rowsOf(samples) {
  const figures = new Set(samples.flatMap((sample) => Object.keys(sample.figures)).filter((name) => !name.includes('.')))
  return [...figures].flatMap((figure) => {
    const having = samples.filter((sample) => figure in sample.figures)
    const proxies = [...new Set(having.map(({ proxy }) => proxy))]
    return proxies.map((proxy) => ({
      figure,
      proxy,
      value: summaryOf(valuesOf(having, figure, proxy).map(([, value]) => value)),
      ratio: ratioTo(yardstick, having, figure, proxy),
    }))
  })
}

/**
 * Each round's value over the other proxy's value of the same round.
 *
 * @param {string} base
 * @param {readonly Sample[]} samples
 * @param {string} figure
 * @param {string} proxy
 */
export function ratioTo(base, samples, figure, proxy) {
  const bases = new Map(valuesOf(samples, figure, base))
  const ratios = valuesOf(samples, figure, proxy).flatMap(([round, value]) => {
    const of = bases.get(round)
    return of === undefined || of === 0 ? [] : [value / of]
  })
  return ratios.length === 0 ? undefined : summaryOf(ratios)
}

/**
 * @param {readonly Sample[]} samples
 * @param {string} figure
 * @param {string} proxy
 */
export function valueOf(samples, figure, proxy) {
  const values = valuesOf(samples, figure, proxy).map(([, value]) => value)
  return values.length === 0 ? undefined : summaryOf(values)
}

/**
 * @param {readonly Sample[]} samples
 * @param {string} figure
 * @param {string} proxy
 * @returns {readonly (readonly [round: number, value: number])[]}
 */
function valuesOf(samples, figure, proxy) {
  return samples.flatMap((sample) => {
    const value = sample.proxy === proxy ? sample.figures[figure] : undefined
    return value === undefined ? [] : [/** @type {const} */ ([sample.round, value])]
  })
}

/** @param {readonly Row[]} rows */
export function tableOf(rows) {
  const lines = rows.map(({ figure, proxy, value, ratio }, at) => [
    rows[at - 1]?.figure === figure ? '' : figure,
    proxy,
    short(value.median),
    `${short(value.low)} - ${short(value.high)}`,
    ratio === undefined ? '' : ratio.median.toFixed(2),
    ratio === undefined ? '' : `${ratio.low.toFixed(2)} - ${ratio.high.toFixed(2)}`,
  ])
  return aligned(['figure', 'proxy', 'median', '90 % of rounds', `to ${yardstick}`, '90 % of rounds'], lines)
}

/** @param {number} value */
export const short = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3))

/**
 * A Markdown table that reads well as plain text.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} lines
 */
export function aligned(head, lines) {
  const widths = head.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)))
  const row = (/** @type {readonly string[]} */ cells) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [row(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...lines.map(row)].join('\n')
}
