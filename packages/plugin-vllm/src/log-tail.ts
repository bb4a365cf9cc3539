const MOST_CHARACTERS = 131_072
const LONGEST_LINE = 2_000

/**
 * The last lines of a log, fit for patterns: none so long that matching it takes time. A progress bar overwrites itself with carriage returns, and each of
 * its states is a line here.
 */
export function tailLines(logTail: string): string[] {
  return logTail
    .slice(-MOST_CHARACTERS)
    .split(/[\n\r]+/)
    .map((line) => line.slice(0, LONGEST_LINE))
}
