/** Byte extent of one value: [start, end). */
export interface Extent {
  readonly start: number
  readonly end: number
}

/** A JSON object read once, without building it: where each top-level value stands. */
export type TopLevel = ReadonlyMap<string, Extent>

/** What is wrong with a body, and at which byte. */
export class JsonScanError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message)
    this.name = 'JsonScanError'
  }
}
