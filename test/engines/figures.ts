/** What was measured in a test, printed for people when its file is done. */
export class Figures {
  private readonly lines: string[] = []

  /** Times of equal things in milliseconds; returns the longest. */
  times(what: string, tookMs: readonly number[]): number {
    const sorted = [...tookMs].sort((a, b) => a - b)
    const share = (part: number) => (sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN).toFixed(0)
    this.lines.push(`${what.padEnd(58)} n ${tookMs.length}  p50 ${share(0.5)} ms  p99 ${share(0.99)} ms  max ${share(1)} ms`)
    return sorted.at(-1) ?? Number.NaN
  }

  note(what: string, value: string): void {
    this.lines.push(`${what.padEnd(58)} ${value}`)
  }

  print(): void {
    process.stdout.write(`\n${this.lines.map((line) => `  ${line}\n`).join('')}`)
  }
}

/** Runs something and says how long it took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
