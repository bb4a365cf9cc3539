import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { messageOf } from '@plimsoll/core/routing'
import { parseCsvTrace } from './csv-trace.js'
import { logTrace } from './log-trace.js'
import { isRequestLog, parseRequestLog } from './request-log.js'
import type { Trace } from './trace.js'
import { badTrace } from './trace-error.js'

/** More than this is no trace of requests, or a file made to fill the memory. */
const MOST_BYTES = 2 ** 31
const HINT = 'a trace is CSV with a header row or a request log of lb, plain or compressed with gzip; see docs/guides/simulate.md'

/** A trace in CSV or a request log, compressed or not; what it is shows in its bytes, not in its name. Throws LB_BAD_TRACE. */
export function readTrace(file: string, pool?: string): Trace {
  const bytes = readPlain(file)
  if (!isRequestLog(bytes)) return parseCsvTrace(bytes, file)
  return logTrace(file, parseRequestLog(bytes, file, pool).requests)
}

/** The file's bytes, uncompressed. */
export function readPlain(file: string): Buffer {
  try {
    const bytes = readFileSync(file)
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes
  } catch (error) {
    // The path stands in front already.
    const reason = messageOf(error).replace(`, open '${file}'`, '')
    throw badTrace({ file }, `cannot be read: ${reason}`, HINT)
  }
}
