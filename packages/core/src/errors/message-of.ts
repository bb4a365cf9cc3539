/** The text of anything that was thrown, for a log line or a reason; never throws itself. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name
  return String(thrown)
}
