import type { Diagnosis } from '@plimsoll/core/plugin'

/** What one kind of line in the log means. */
export interface LogRule {
  readonly kind: Diagnosis['kind']
  readonly pattern: RegExp
  readonly message: (found: RegExpExecArray) => string
  readonly hint: string
}

/** A rule; its message is a text, or made from what the pattern found. */
export function rule(kind: Diagnosis['kind'], pattern: RegExp, message: string | LogRule['message'], hint: string): LogRule {
  return { kind, pattern, message: typeof message === 'string' ? () => message : message, hint }
}
