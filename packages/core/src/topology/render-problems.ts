import { placeOf, type Problem } from './problem.js'

/** All problems as design/cli.md draws them; the last line counts. `text` is the file, for the frames; without it only places are told. */
export function renderProblems(problems: readonly Problem[], text: string | undefined): string {
  const lines = text === undefined ? [] : maskSecrets(text.split(/\r\n|\n|\r/), problems)
  const blocks = problems.map((problem) => renderProblem(problem, lines))
  return [...blocks, `${problems.length} ${problems.length === 1 ? 'error' : 'errors'}; nothing was changed.`].join('\n')
}

function renderProblem(problem: Problem, lines: readonly string[]): string {
  const remark = remarkOf(problem)
  const out = [`${placeOf(problem)}  error  ${clean(problem.message)}`]
  const frame = frameOf(problem, lines, remark)
  out.push(...frame)
  if (frame.length === 0 && remark !== '') out.push(`      ${remark}`)
  if (problem.hint !== undefined) out.push(`      hint: ${clean(problem.hint)}`)
  return out.join('\n')
}

function remarkOf(problem: Problem): string {
  if (problem.suggestion !== undefined) return `did you mean \`${clean(problem.suggestion)}\`?`
  return problem.expected === undefined ? '' : `expected ${clean(problem.expected)}`
}

/** The offending line with the one before it, and a caret line; long lines are cut around the mark. */
function frameOf(problem: Problem, lines: readonly string[], remark: string): string[] {
  const offending = lines[problem.line - 1]
  if (offending === undefined) return []
  const gutter = Math.max(4, String(problem.line).length + 3)
  const start = Math.max(0, problem.column - 1 - 80)
  const numbered = (line: number, content: string) =>
    `${String(line).padStart(gutter + 1)} | ${clean(content.slice(start, start + 120))}`.trimEnd()
  const before = lines[problem.line - 2]
  const indent = ' '.repeat(problem.column - 1 - start)
  const width = Math.max(1, Math.min(problem.width, offending.length - problem.column + 1, 120))
  const caret = `${' '.repeat(gutter + 1)} | ${indent}${'^'.repeat(width)} ${remark}`.trimEnd()
  const context = before === undefined || before.trim() === '' ? [] : [numbered(problem.line - 1, before)]
  return [...context, numbered(problem.line, offending), caret]
}

/** A secret that someone wrote into the file must not travel on into a log or a terminal's history. */
function maskSecrets(lines: readonly string[], problems: readonly Problem[]): string[] {
  const masked = [...lines]
  for (const problem of problems) {
    const line = masked[problem.line - 1]
    if (problem.secret !== true || line === undefined) continue
    const start = problem.column - 1
    masked[problem.line - 1] =
      line.slice(0, start) + line.slice(start, start + problem.width).replaceAll(/[^\s'"]/g, '*') + line.slice(start + problem.width)
  }
  return masked.map(maskLine)
}

/** Also where the mistake is another one: a frame shows whole lines. */
function maskLine(line: string): string {
  return line
    .replace(
      /((?:api[-_]?keys?|token|secret|password)["']?\s*:\s*[["']*)([^\s"'{}[\],$][^\s"',}\]]*)/gi,
      (_, key: string, value: string) => key + '*'.repeat(value.length),
    )
    .replace(/(:\/\/)([^\s/@]+)@/g, (_, scheme: string, user: string) => `${scheme}${'*'.repeat(user.length)}@`)
}

/** Control characters of a foreign file must not reach a terminal; a tab counts as one column, as the caret does. */
function clean(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '?')
}
