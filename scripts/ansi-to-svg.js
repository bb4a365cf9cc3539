#!/usr/bin/env node
/**
 * Turns a captured terminal pane into a picture: `tmux capture-pane -e -p | node scripts/ansi-to-svg.js "lb up" > docs/images/live-view.svg`.
 * Knows colours and bold, which is all that our views use; bars and sparks are drawn as shapes, so no reader's font can bend them.
 */
import { text } from 'node:stream/consumers'

const CELL = { width: 8.4, height: 18 }
const MARGIN = 16
const TITLE_HEIGHT = 34
const INK = '#d5dbe5'
const PAPER = '#14181f'
const NAMED = ['#3b4252', '#e06c75', '#8fcf72', '#e5c07b', '#61afef', '#c678dd', '#56c7d3', INK]
const BRIGHT = ['#7b8698', '#ff7b86', '#a8e58b', '#ffd68a', '#7dc1ff', '#d993ee', '#74dbe6', '#ffffff']
const EIGHTHS = '▁▂▃▄▅▆▇█'

const title = process.argv[2] ?? 'lb'
// A pane's style runs on over the ends of its lines.
let style = { colour: INK, bold: false }
const lines = (await text(process.stdin)).replace(/\n+$/, '').split('\n').map(runsOf)
process.stdout.write(picture(lines, title))

/** A line as runs of equal style: `{ text, column, colour, bold }`. */
function runsOf(line) {
  const runs = []
  let column = 0
  // oxlint-disable-next-line no-control-regex
  for (const [, codes, chunk] of line.matchAll(/\u001b\[([\d;]*)m|([^\u001b]+)/g)) {
    if (chunk === undefined) style = restyled(style, codes.split(';').map(Number))
    else {
      for (const part of chunk.match(/[▁-█]+|░+|─+| +|[^▁-█░─ ]+/g) ?? []) {
        runs.push({ text: part, column, ...style })
        column += [...part].length
      }
    }
  }
  return runs
}

function restyled(style, codes) {
  let next = style
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i]
    if (code === 0) next = { colour: INK, bold: false }
    else if (code === 1) next = { ...next, bold: true }
    else if (code === 22) next = { ...next, bold: false }
    else if (code === 39) next = { ...next, colour: INK }
    else if (code >= 30 && code <= 37) next = { ...next, colour: NAMED[code - 30] }
    else if (code >= 90 && code <= 97) next = { ...next, colour: BRIGHT[code - 90] }
    else if (code === 38 && codes[i + 1] === 2) next = { ...next, colour: `rgb(${codes.slice(i + 2, (i += 4) + 1).join(',')})` }
    else if (code === 38) next = { ...next, colour: [...NAMED, ...BRIGHT][codes[(i += 2)]] ?? INK }
  }
  return next
}

function picture(rows, name) {
  const columns = Math.max(...rows.flat().map((run) => run.column + [...run.text].length))
  const [width, height] = [Math.ceil(columns * CELL.width + 2 * MARGIN), rows.length * CELL.height + TITLE_HEIGHT + MARGIN]
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map((fill, i) => `<circle cx="${20 + i * 18}" cy="17" r="5.5" fill="${fill}"/>`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(name)}">`,
    `<rect width="${width}" height="${height}" rx="9" fill="${PAPER}"/>`,
    ...dots,
    `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="13.6">`,
    `<text x="${width / 2}" y="22" text-anchor="middle" fill="${BRIGHT[0]}">${escaped(name)}</text>`,
    ...rows.flatMap((runs, row) => runs.map((run) => shapeOf(run, TITLE_HEIGHT + row * CELL.height))),
    '</g>',
    '</svg>\n',
  ].join('\n')
}

function shapeOf(run, top) {
  const [left, cells] = [MARGIN + run.column * CELL.width, [...run.text]]
  if (run.text.trim() === '') return ''
  if (run.text.startsWith('─')) return bar(left, top + CELL.height / 2, cells.length, 1, run.colour)
  if (run.text.startsWith('░')) return bar(left, top + 3, cells.length, CELL.height - 6, run.colour, 0.3)
  if (EIGHTHS.includes(cells[0]))
    return cells.map((cell, i) => spark(left + i * CELL.width, top, EIGHTHS.indexOf(cell) + 1, run.colour)).join('')
  const weight = run.bold ? ' font-weight="bold"' : ''
  const length = (cells.length * CELL.width).toFixed(1)
  return `<text x="${left.toFixed(1)}" y="${top + 13}" textLength="${length}" lengthAdjust="spacingAndGlyphs" fill="${run.colour}"${weight}>${escaped(run.text)}</text>`
}

function spark(left, top, eighths, colour) {
  const room = CELL.height - 6
  return bar(left, top + 3 + room - (room * eighths) / 8, 1, (room * eighths) / 8, colour)
}

function bar(left, top, cells, height, colour, opacity = 1) {
  // A hair wider than its cells, or the seams between neighbours would show.
  const width = (cells * CELL.width + 0.3).toFixed(1)
  return `<rect x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${width}" height="${height}" fill="${colour}" opacity="${opacity}"/>`
}

function escaped(value) {
  return value.replace(/[&<>"]/g, (char) => `&#${char.codePointAt(0)};`)
}
