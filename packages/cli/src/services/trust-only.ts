import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { LbError, messageOf } from '@plimsoll/core'

/**
 * TLS that trusts one certificate file and nothing else. The certificate itself is compared, not the name in it: it may be made for a public name
 * while the gateway is reached on loopback. Throws LB_CERTIFICATE_UNREADABLE.
 */
export function trustOnly(certFile: string): ConnectionOptions {
  const { pem, own } = read(certFile)
  return {
    ca: pem,
    allowPartialTrustChain: true,
    checkServerIdentity: (_host, { raw }) => (own.raw.equals(raw) ? undefined : new Error(`it shows another certificate than ${certFile}`)),
  }
}

function read(certFile: string): { readonly pem: Buffer; readonly own: X509Certificate } {
  try {
    const pem = readFileSync(certFile)
    return { pem, own: new X509Certificate(pem) }
  } catch (cause) {
    throw new LbError(`the gateway's certificate cannot be read: ${messageOf(cause)}`, {
      code: 'LB_CERTIFICATE_UNREADABLE',
      source: 'operator',
      hint: `lb ask trusts ${certFile} alone; check that file`,
      cause,
    })
  }
}
