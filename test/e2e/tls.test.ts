import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canMakeCertificates, connectTls, makeCertificate, replaceFile, shownFingerprint, type CertificatePair } from './certificates.js'
import { House, simTopology, until } from './house.js'

if (!canMakeCertificates) process.stderr.write('tls.test.ts is skipped: it makes its certificates with openssl, which is not here\n')

/** The files are looked at every 5 s. */
const RENEWED_WITHIN_MS = 10_000

let house: House
let first: CertificatePair
let second: CertificatePair
let certFile: string
let keyFile: string

beforeEach(() => {
  if (!canMakeCertificates) return
  house = new House()
  const folder = join(house.folder, 'certificates')
  mkdirSync(folder)
  first = makeCertificate(folder, 'first')
  second = makeCertificate(folder, 'second')
  certFile = join(house.cwd, 'gateway.pem')
  keyFile = join(house.cwd, 'gateway.key')
  copyFileSync(first.certFile, certFile)
  copyFileSync(first.keyFile, keyFile)
})

afterEach(async () => {
  if (!canMakeCertificates) return
  await house.close()
})

function declare(workers: number): void {
  const gateway = `gateway: { listen: 127.0.0.1:0, workers: ${workers}, tls: { cert: gateway.pem, key: gateway.key } }`
  house.write('lb.yaml', simTopology({ replicas: 1 }).replace(/^gateway: .*$/m, gateway))
}

/** One request on a connection that stays open; gives the status line. */
function ask(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject).once('close', () => reject(new Error('closed')))
    socket.once('data', (data: Buffer) => resolve(data.toString('latin1').split('\r\n')[0] ?? ''))
    socket.write('GET /health HTTP/1.1\r\nhost: lb\r\n\r\n')
  })
}

/** Of 12 new connections in a row, so that every thread shows its own. */
async function allShow(url: string, fingerprint: string): Promise<boolean> {
  for (let count = 0; count < 12; count += 1) if ((await shownFingerprint(url)) !== fingerprint) return false
  return true
}

const ownLog = (): string => house.logs()

describe.skipIf(!canMakeCertificates)('a gateway with a certificate', () => {
  it.each([1, 2])(
    'is reached over https by what lb up prints and by lb ask, which trusts this certificate alone (workers: %i)',
    async (workers) => {
      declare(workers)
      const up = await house.lb(['up', '--detach'])
      expect(up.code, `${up.stdout}${up.stderr}`).toBe(0)
      const url = (await house.status()).gateway.listen[0] ?? ''
      expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
      expect((await house.lb(['status'])).stdout).toContain(url)

      const curl = /^.*\b(curl .*)$/m.exec(`${up.stdout}${up.stderr}`)?.[1] ?? ''
      expect(curl).toContain(`--cacert '${certFile}' ${url}/v1/chat/completions`)

      const asked = await house.lb(['ask', 'hello', '--json', '--max-tokens', '5'])
      expect(asked.code, asked.stderr).toBe(0)
      expect(JSON.parse(asked.stdout)).toMatchObject({ node: 'demo/sim', completionTokens: 5 })

      // A certificate without its key is not taken, and lb ask no longer sees the one that it trusts.
      replaceFile(certFile, second.certFile)
      const refused = await house.lb(['ask', 'hello'])
      expect(refused.code).not.toBe(0)
      expect(refused.stderr).toMatch(/cannot be reached: .*certificate/)
    },
  )

  it('speaks HTTP/1.1 alone: a client that offers nothing but h2 is refused, plain HTTP too', async () => {
    declare(1)
    const url = await house.up()
    await expect(connectTls(url, { ALPNProtocols: ['h2'] })).rejects.toThrow(/alert|protocol/i)
    const both = await connectTls(url, { ALPNProtocols: ['h2', 'http/1.1'] })
    expect(both.alpnProtocol).toBe('http/1.1')
    expect(await ask(both)).toBe('HTTP/1.1 200 OK')
    both.destroy()
    await expect(fetch(url.replace('https:', 'http:'))).rejects.toThrow()
    expect(await shownFingerprint(url)).toBe(first.fingerprint)
  })

  it('shows a renewed certificate to new connections in all threads; old ones live on; broken files change nothing', async () => {
    declare(2)
    const url = await house.up()
    const old = await Promise.all(Array.from({ length: 8 }, () => connectTls(url)))
    expect(await Promise.all(old.map(ask))).toEqual(Array(8).fill('HTTP/1.1 200 OK'))

    writeFileSync(certFile, 'not a certificate')
    await until(() => ownLog().includes('certificate.kept_old'), RENEWED_WITHIN_MS)
    expect(await allShow(url, first.fingerprint)).toBe(true)

    const renewedAt = performance.now()
    replaceFile(keyFile, second.keyFile)
    replaceFile(certFile, second.certFile)
    await until(() => allShow(url, second.fingerprint), RENEWED_WITHIN_MS)
    process.stdout.write(`renewed certificate in all threads after ${Math.round(performance.now() - renewedAt)} ms\n`)
    expect(ownLog()).toContain('certificate.reloaded')
    expect(await Promise.all(old.map(ask))).toEqual(Array(8).fill('HTTP/1.1 200 OK'))
    for (const socket of old) socket.destroy()
    const asked = await house.lb(['ask', 'hello', '--max-tokens', '2'])
    expect(asked.code, `${asked.stdout}${asked.stderr}`).toBe(0)
  })
})

describe.skipIf(!canMakeCertificates)('a certificate that cannot be used', () => {
  it.each([1, 2])('stops lb up with what is wrong and what to check (workers: %i)', async (workers) => {
    declare(workers)
    writeFileSync(certFile, 'not a certificate')
    const garbage = await house.lb(['up', '--detach'])
    expect(garbage.code).not.toBe(0)
    expect(garbage.stderr).toContain('the certificate cannot be used')
    expect(garbage.stderr).toContain(`check ${certFile} and ${keyFile}`)
    replaceFile(certFile, second.certFile)
    const mismatched = await house.lb(['up', '--detach'])
    expect(mismatched.code).not.toBe(0)
    expect(mismatched.stderr).toMatch(/certificate cannot be used: .*mismatch/)
    await until(() => house.survivors().length === 0)
  })

  it('that is not there is a mistake in the topology file', async () => {
    declare(1)
    house.write('lb.yaml', readFileSync(join(house.cwd, 'lb.yaml'), 'utf8').replace('gateway.pem', 'no-such.pem'))
    const result = await house.lb(['up', '--detach'])
    expect(result.code).not.toBe(0)
    expect(result.stderr).toMatch(/cert: there is no file .*no-such\.pem/)
  })
})
