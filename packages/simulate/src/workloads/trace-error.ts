import { LbError } from '@plimsoll/core/routing'

/** A place in a file of requests, from 1 on. */
export interface TracePlace {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

export function badTrace({ file, line, column }: TracePlace, what: string, hint: string): LbError {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return new LbError(`${place}: ${what}`, { code: 'LB_BAD_TRACE', source: 'operator', hint })
}
