import { readFileSync, statSync } from 'node:fs'
import type { Server } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import { leanTls, type Clock, type TimerHandle } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { LbError, messageOf } from '../errors/index.js'
import type { GatewayPlan } from '../topology/index.js'
import type { Certificate } from '../wire/index.js'

type TlsPlan = NonNullable<GatewayPlan['tls']>

/** How often the files are looked at: renewals are rare and prepared days ahead. */
const LOOK_MS = 5_000

/** A certificate with its key that follows its files: renewed ones are used for new connections without a restart; broken ones are logged and the old ones kept. */
export class CertificateFiles {
  current: Certificate
  private stamp: string
  private complained = ''
  private timer: TimerHandle | undefined
  private readonly servers: TlsServer[] = []

  /** Throws LB_CERTIFICATE. */
  constructor(
    private readonly plan: TlsPlan,
    private readonly options: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.stamp = stampOf(plan)
    this.current = readCertificate(plan)
    this.watch()
  }

  /** Keeps this server's certificate fresh. */
  serve(server: Server): void {
    if (server instanceof leanTls().Server) this.servers.push(server)
  }

  stop(): void {
    this.timer?.cancel()
  }

  private watch(): void {
    this.timer = this.options.clock.after(LOOK_MS, () => {
      this.look()
      this.watch()
    })
  }

  private look(): void {
    try {
      const stamp = stampOf(this.plan)
      if (stamp === this.stamp) return
      this.current = readCertificate(this.plan)
      for (const server of this.servers) server.setSecureContext(this.current)
      this.stamp = stamp
      this.complained = ''
      this.options.log.info('certificate.reloaded', { file: this.plan.certFile })
    } catch (error) {
      const message = messageOf(error)
      if (message !== this.complained) this.options.log.error('certificate.kept_old', { file: this.plan.certFile, error: message })
      this.complained = message
    }
  }
}

function readCertificate({ certFile, keyFile }: TlsPlan): Certificate {
  try {
    const certificate = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
    leanTls().createSecureContext(certificate)
    return certificate
  } catch (cause) {
    throw new LbError(`the certificate cannot be used: ${messageOf(cause)}`, {
      code: 'LB_CERTIFICATE',
      source: 'operator',
      hint: `check ${certFile} and ${keyFile}: PEM files that belong together`,
      cause,
    })
  }
}

function stampOf({ certFile, keyFile }: TlsPlan): string {
  return [certFile, keyFile].map((file) => `${statSync(file).mtimeMs}:${statSync(file).size}`).join(' ')
}
