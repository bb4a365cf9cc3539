import type { RequestRecord } from '../contracts/index.js'

/** Prefix hashes of one record in JSON; they are many, and the first tell most. */
const SHOWN_HASHES = 512
/** 52 bits. */
const HEX_DIGITS = 13

/** A record as it is written to files and sockets. */
export type RecordJson = Omit<RequestRecord, 'prefixHashes'> & { readonly prefixHashes: readonly string[] }

export function recordJson(record: RequestRecord): RecordJson {
  const shown = record.prefixHashes.subarray(0, SHOWN_HASHES)
  return { ...record, prefixHashes: Array.from(shown, (hash) => hash.toString(16).padStart(HEX_DIGITS, '0')) }
}
