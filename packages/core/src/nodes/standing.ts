/** A node is taken out although it answers its probes. */
export interface Ejection {
  /** For people: "ejected for 4 s: 5 failures in a row; the last: connection reset". */
  readonly reason: string
  /** Monotonic. */
  readonly untilMs: number
  /** Why what is in flight there is given up: it hangs. Absent: it may end. */
  readonly lost?: string | undefined
}

/** How a node comes back: with one request at a time, or a share of its usual traffic. */
export interface Return {
  /** On trial; requests that were in flight when it began. */
  readonly trial?: number | undefined
  /** Over 0 and below 1. */
  readonly admission?: number | undefined
  /** For people. */
  readonly note?: string | undefined
}

/** What a node is trusted with, beside the state that its probes give it. Begins anew with each life. */
export class Standing {
  ejection: Ejection | undefined
  /** Of this life, this one included. */
  ejections = 0
  trial: number | undefined
  admission: number | undefined
  /** What its probes said while it was out; undefined: nothing yet. */
  private failedProbe: string | null | undefined

  eject(ejection: Ejection): void {
    this.ejection = ejection
    this.ejections += 1
    this.trial = undefined
    this.admission = undefined
    this.failedProbe = undefined
  }

  /** A probe while it is out: kept until it comes back. */
  heard(event: 'good' | 'steady' | 'bad', reason: string | null): void {
    this.failedProbe = event === 'bad' ? (reason ?? 'does not answer its probes') : undefined
  }

  /** Its time out is over; tells why its probes would not have it yet, where they would not. */
  readmit(back: Return): string | undefined {
    this.ejection = undefined
    this.admit(back)
    return this.failedProbe ?? undefined
  }

  admit({ trial, admission }: Return): void {
    this.trial = trial
    this.admission = admission
  }

  /** What requests must know of it. */
  get view(): { readonly ejected?: number; readonly lost?: string; readonly trial?: number; readonly admission?: number } {
    const { ejection, ejections, trial, admission } = this
    if (ejection !== undefined) return { ejected: ejections, ...(ejection.lost === undefined ? {} : { lost: ejection.lost }) }
    return { ...(trial === undefined ? {} : { trial }), ...(admission === undefined || admission >= 1 ? {} : { admission }) }
  }
}
