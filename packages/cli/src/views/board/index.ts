/**
 * Owns how a balancer's state is drawn as lines of text: pure functions, no terminal, no Ink. Refuses to know keys, time and sockets.
 * Read first: board.ts.
 */
export { boardRows } from './board.js'
export type { BoardRow } from './board-row.js'
export { eventLines } from './event-lines.js'
export { glyphsFor, type Glyphs } from './glyphs.js'
export { gpuFigures, gpuLabel, gpuRows } from './gpu-rows.js'
export { headerLines } from './header.js'
export { rolloutRows } from './rollout-rows.js'
export { changeText, figureName, figureValue, isStanding, phaseText, shareText, stepText, verdictText } from './figure-text.js'
export { safeEvent, safeStatus } from './safe-status.js'
export { nodesInOrder } from './node-order.js'
export { cut, cutLine, fit, lineWidth, plainText, span, type Line, type Tone } from './spans.js'
export { residencyLine, scaleLine, undeclaredText } from './steering-lines.js'
export { whyLines } from './why-lines.js'
export { wrapCommand } from './wrap-command.js'
export { wrapWords } from './wrap-words.js'
