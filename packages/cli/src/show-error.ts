import { exitCodeOf } from './exit-codes.js'
import { shownError } from './views/error-text.js'
import { jsonText } from './views/json-text.js'

/** Says on stderr what went wrong, with `--json` also on stdout as data, and sets the exit code. `args` is what was typed: an error may come before or from the parser. */
export function showError(thrown: unknown, args: readonly string[]): void {
  const end = args.indexOf('--')
  const typed = end < 0 ? args : args.slice(0, end)
  const shown = shownError(thrown, { verbose: typed.includes('--verbose') || typed.includes('-v') })
  process.stderr.write(`${shown.text}\n`)
  if (typed.includes('--json')) process.stdout.write(`${jsonText(shown.json)}\n`)
  process.exitCode = exitCodeOf(shown.code)
}

/** True for oclif's own way to leave with an exit code. */
export function isExit(thrown: unknown): boolean {
  return (thrown as { code?: unknown } | undefined)?.code === 'EEXIT'
}
