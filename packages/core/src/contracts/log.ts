/** Facts of one log line; values must be plain data. Never prompts, outputs or keys. */
export type LogFacts = Readonly<Record<string, string | number | boolean | null | undefined>>

/** Where the balancer speaks: a constant event name and facts as fields. The host decides what becomes of it. */
export interface Logger {
  info(event: string, facts?: LogFacts): void
  warn(event: string, facts?: LogFacts): void
  error(event: string, facts?: LogFacts): void
}

/** Says nothing: the default of the library form. */
export const silentLogger: Logger = { info() {}, warn() {}, error() {} }
