/** Self-signed certificates for one test: keys are made anew each time, none lies in the repository. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'

export interface CertificatePair {
  readonly certFile: string
  readonly keyFile: string
  readonly fingerprint: string
}

export const canMakeCertificates = hasOpenssl()

export function makeCertificate(folder: string, name: string): CertificatePair {
  const certFile = join(folder, `${name}.pem`)
  const keyFile = join(folder, `${name}.key`)
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const args = ['req', '-x509', ...curve, '-days', '2', '-subj', `/CN=${name}.test`, '-keyout', keyFile, '-out', certFile]
  execFileSync('openssl', args, { stdio: 'ignore' })
  return { certFile, keyFile, fingerprint: new X509Certificate(readFileSync(certFile)).fingerprint256 }
}

/** Puts a file in another's place in one step, as renewal tools do. */
export function replaceFile(path: string, from: string): void {
  copyFileSync(from, `${path}.new`)
  renameSync(`${path}.new`, path)
}

/** A TLS connection that trusts anything; rejects when the handshake fails. */
export function connectTls(url: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...options }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Which certificate a new connection is shown. */
export async function shownFingerprint(url: string): Promise<string> {
  const socket = await connectTls(url)
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
