import type { BodyFields } from '../contracts/index.js'
import { field, type RequestScan } from './request-scan.js'

const QUOTE = 0x22

/** What a dialect may look at of a scanned JSON body. */
export function bodyFields(scan: RequestScan): BodyFields {
  return {
    names: scan.fields.keys(),
    value: (name) => field(scan.body, scan.fields, name),
    isText: (name) => scan.body[scan.fields.get(name)?.start ?? -1] === QUOTE,
  }
}
