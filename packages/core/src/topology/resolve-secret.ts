import { readFileSync, statSync } from 'node:fs'
import { LbError, messageOf } from '../errors/index.js'
import type { Environment } from './interpolate.js'
import type { SecretRef } from './topology.js'

const maxSecretBytes = 65_536

/** The secret itself, without a file's last line break. Throws LB_SECRET_MISSING; no message ever holds the secret. */
export function resolveSecret(ref: SecretRef, env: Environment = process.env): string {
  const secret = 'env' in ref ? env[ref.env] : readSecret(ref.file)
  if (secret === undefined || secret === '') {
    throw 'env' in ref
      ? missing(`the environment variable ${ref.env} is not set`, `export ${ref.env}=... before lb up`)
      : missing(`the secret file ${ref.file} is empty`, 'write the secret into it')
  }
  return secret
}

function readSecret(file: string): string {
  try {
    if (statSync(file).size > maxSecretBytes) throw new Error('it is larger than 64 KiB')
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw missing(`the secret file ${file} cannot be read: ${messageOf(error)}`, 'check its path and its permissions')
  }
}

function missing(message: string, hint: string): LbError {
  return new LbError(message, { code: 'LB_SECRET_MISSING', source: 'operator', hint })
}
