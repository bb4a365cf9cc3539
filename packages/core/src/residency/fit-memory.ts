/** So long an answer holds: what a machine has changes seldom, and plugins may read files to say what their engines need. */
const REMEMBERED_MS = 2_000

/** Which sets of pools fit together, for a while and for one topology. */
export class FitMemory {
  private readonly known = new Map<string, boolean>()
  private topology: object | undefined
  private untilMs = -Infinity

  /** The machine is seen otherwise now. */
  forget(): void {
    this.untilMs = -Infinity
  }

  of(names: readonly string[], at: { readonly of: object; readonly nowMs: number }, ask: () => boolean): boolean {
    if (at.of !== this.topology || at.nowMs >= this.untilMs) {
      this.known.clear()
      this.topology = at.of
      this.untilMs = at.nowMs + REMEMBERED_MS
    }
    const key = JSON.stringify(names.toSorted())
    const fits = this.known.get(key) ?? ask()
    this.known.set(key, fits)
    return fits
  }
}
