import { hkdfSync } from 'node:crypto'
import { SECRET_BYTES } from './scanner-module.js'

const secrets = new WeakMap<Uint8Array, Uint8Array>()

/** The salt of an installation, stretched to the secret of the block hash; once for each salt. */
export function hashSecret(salt: Uint8Array): Uint8Array {
  let secret = secrets.get(salt)
  if (secret === undefined)
    secrets.set(salt, (secret = new Uint8Array(hkdfSync('sha256', salt, '', 'plimsoll prefix hashes', SECRET_BYTES))))
  return secret
}
