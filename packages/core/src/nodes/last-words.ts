import { stripVTControlCharacters } from 'node:util'
import { type ProcessEnd, tailFile } from '../machines/index.js'

const LONGEST = 200
const LOOK_BACK_LINES = 20

export function describeEnd(end: ProcessEnd): string {
  return end.signal === null ? `exited with code ${end.code ?? 'unknown'}` : `ended by ${end.signal}`
}

/** `: ` and the last line of a log that says anything, fit to be shown: without colours and control characters, cut to a length. */
export function lastWords(logPath: string): string {
  const lines = tailFile(logPath, LOOK_BACK_LINES).map(printable)
  const last = lines.findLast((line) => line !== '')
  return last === undefined ? '' : `: ${last.slice(0, LONGEST)}`
}

/** What a log line may do to a terminal ends here: engines colour their output, and prompts may be quoted in it. */
function printable(line: string): string {
  return stripVTControlCharacters(line)
    .replaceAll(/\p{Cc}|\p{Cf}/gu, '')
    .trim()
}
