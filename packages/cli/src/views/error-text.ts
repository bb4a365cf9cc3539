import { isLbError, messageOf } from '@plimsoll/core/client'
import { sanitize } from './sanitize.js'

/** An error ready to show: the text for stderr, the JSON for `--json`, and the code to look up the exit code with. */
export interface ShownError {
  readonly code: string
  readonly text: string
  readonly json: object
}

interface Rendering {
  render(): string
}

/** Every error has three parts: what is wrong, why or what was expected, what to do. Foreign text in it is made safe here. */
export function shownError(thrown: unknown, options: { readonly verbose: boolean }): ShownError {
  const code = isLbError(thrown) ? thrown.code : isUsageError(thrown) ? 'LB_WRONG_INPUT' : 'LB_BUG'
  const hint = hintOf(thrown, code)
  const message = safe(isUsageError(thrown) ? usageText(thrown) : messageOf(thrown))
  const trace = options.verbose && thrown instanceof Error ? [safe(thrown.stack ?? '')] : []
  const rendered = isRendering(thrown) ? safe(thrown.render()) : `lb: ${message}`
  const hintLines = isRendering(thrown) || hint === undefined ? [] : [`    try: ${safe(hint)}`]
  return {
    code,
    text: [rendered, ...hintLines, ...trace].join('\n'),
    json: { error: { code, message, ...(hint === undefined ? {} : { hint: safe(hint) }), ...problemsOf(thrown) } },
  }
}

function hintOf(thrown: unknown, code: string): string | undefined {
  if (isLbError(thrown)) return thrown.hint
  return code === 'LB_WRONG_INPUT' ? 'add --help to see what this command takes' : 'run it again with --verbose and report what it prints'
}

/** oclif marks what the parser refused with exit code 2. */
function isUsageError(thrown: unknown): boolean {
  const exit = (thrown as { oclif?: { exit?: unknown } } | undefined)?.oclif?.exit
  return exit === 2
}

/** oclif breaks its lines and adds a hint of its own, which ours says already. */
function usageText(thrown: unknown): string {
  const lines = messageOf(thrown).split('\n')
  return lines
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.startsWith('See more help with'))
    .join('\n')
}

function isRendering(thrown: unknown): thrown is Rendering {
  return isLbError(thrown) && typeof (thrown as { render?: unknown }).render === 'function'
}

function problemsOf(thrown: unknown): object {
  const problems = (thrown as { problems?: unknown } | undefined)?.problems
  return isLbError(thrown) && Array.isArray(problems) ? { problems } : {}
}

function safe(text: string): string {
  return sanitize(text, { keepNewlines: true })
}
