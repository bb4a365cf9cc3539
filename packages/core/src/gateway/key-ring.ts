import { createHash, timingSafeEqual } from 'node:crypto'
import type { HeaderView } from '../contracts/index.js'
import { LbError } from '../errors/index.js'

/** A key, and what it is called. */
export interface NamedKey {
  readonly name: string
  readonly key: string
}

/** The keys that open the gateway, kept as digests. */
export interface KeyRing {
  /** The name of the key that was given. Throws LB_KEY_MISSING or LB_KEY_WRONG (401). Lets everybody in where no keys are declared, without a name. */
  check(headers: HeaderView): string | undefined
}

/** Keys are compared as digests of equal length, all of them each time: the time taken tells nothing about a key. */
export function createKeyRing(keys: readonly NamedKey[]): KeyRing {
  const digests = keys.map(({ name, key }) => ({ name, known: digest(key) }))
  return {
    check(headers) {
      if (digests.length === 0) return undefined
      const given = keyOf(headers)
      if (given === undefined) throw refused('LB_KEY_MISSING', 'this gateway asks for an API key')
      const offered = digest(given)
      let match: string | undefined
      for (const { name, known } of digests) if (timingSafeEqual(known, offered)) match = name
      if (match === undefined) throw refused('LB_KEY_WRONG', 'this API key is not known here')
      return match
    },
  }
}

/** `Authorization: Bearer` or `x-api-key`; never the query, which ends up in logs. Two different keys are no key. */
function keyOf(headers: HeaderView): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1]
  const plain = headers['x-api-key']?.trim()
  const given = bearer ?? (plain === '' ? undefined : plain)
  return bearer !== undefined && plain !== undefined && bearer !== plain ? '' : given
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

function refused(code: string, message: string): LbError {
  return new LbError(message, {
    code,
    source: 'client',
    httpStatus: 401,
    hint: 'send it as `Authorization: Bearer KEY` or `x-api-key: KEY`',
  })
}
