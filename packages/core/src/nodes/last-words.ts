import { stripVTControlCharacters } from '../base/index.js'
import { tailFile } from '../machines/index.js'

const LONGEST = 200
const LOOK_BACK_LINES = 40

/** The last lines of a log that say anything, oldest first, fit to be shown: without colours and control characters, cut to a length. */
export function lastLines(logPath: string, count: number, fromByte = 0): string[] {
  return tailFile(logPath, LOOK_BACK_LINES, fromByte)
    .map(printable)
    .filter((line) => line !== '')
    .slice(-count)
    .map((line) => line.slice(0, LONGEST))
}

/** `: ` and the last of them; empty where there is none. */
export function lastWords(logPath: string, fromByte = 0): string {
  const [last] = lastLines(logPath, 1, fromByte)
  return last === undefined ? '' : `: ${last}`
}

/** What a log line may do to a terminal ends here: engines colour their output, and prompts may be quoted in it. */
export function printable(line: string): string {
  return stripVTControlCharacters(line)
    .replaceAll(/\p{Cc}|\p{Cf}/gu, '')
    .trim()
}
