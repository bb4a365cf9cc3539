import type { Resolver } from 'node:dns/promises'
import { messageOf } from '../errors/index.js'

const QUERY_TIMEOUT_MS = 2_000
const TRIES = 2

/** A resolver of our own: its timeouts end what hangs, and another server than the system's can be asked. */
export function resolverOf(server: string | undefined): Resolver {
  const { promises } = process.getBuiltinModule('node:dns')
  const resolver = new promises.Resolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES })
  if (server !== undefined) resolver.setServers([server])
  return resolver
}

/** Codes with which a server says that there is no such record: an answer, unlike all others. */
const EMPTY: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND'])

/** The records, or none where the server says so. Throws where it could not be asked or did not know. */
export async function recordsOf<Entry>(asking: Promise<readonly Entry[]>, what: string): Promise<readonly Entry[]> {
  try {
    return await asking
  } catch (error) {
    const { code } = error as { code?: string }
    if (code !== undefined && EMPTY.has(code)) return []
    throw new Error(`${what}: ${WORDS[code ?? ''] ?? messageOf(error)}`, { cause: error })
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ETIMEOUT: 'the DNS server does not answer',
  ECONNREFUSED: 'no DNS server answers at the address',
  ESERVFAIL: 'the DNS server failed (SERVFAIL)',
  EREFUSED: 'the DNS server refuses to answer (REFUSED)',
  EBADRESP: 'the DNS server sent an answer that cannot be read',
  EFORMERR: 'the DNS server did not understand (FORMERR)',
  ENOTIMP: 'the DNS server does not know this kind of record (NOTIMP)',
}

/** Times in a row that a name must have no records before that is believed: a server that restarts says so, too. */
export const EMPTY_ROUNDS = 3

/** Counts empty answers. */
export class EmptyAnswers {
  private rounds = 0

  /** Throws for an empty answer that is not yet believed. */
  judge(count: number, what: string): void {
    this.rounds = count === 0 ? this.rounds + 1 : 0
    if (count === 0 && this.rounds < EMPTY_ROUNDS)
      throw new Error(`${what} has no records now; believed after ${EMPTY_ROUNDS} such answers in a row, this was number ${this.rounds}`)
  }
}
