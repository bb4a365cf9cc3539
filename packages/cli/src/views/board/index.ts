/**
 * Owns how a balancer's state is drawn as lines of text: pure functions, no terminal, no Ink. Refuses to know keys, time and sockets.
 * Read first: board.ts.
 */
export { boardRows } from './board.js'
export type { BoardRow, BoardView } from './board-row.js'
export { eventLines } from './event-lines.js'
export { glyphsFor, toneOf, type Glyphs } from './glyphs.js'
export { headerLines, type HeaderFacts } from './header.js'
export { safeEvent, safeStatus } from './safe-status.js'
export { nodesInOrder } from './node-order.js'
export { cellWidth, cut, cutLine, fit, justify, lineWidth, plainText, span, type Line, type Span, type Tone } from './spans.js'
export { wrapCommand } from './wrap-command.js'
export { wrapWords } from './wrap-words.js'
