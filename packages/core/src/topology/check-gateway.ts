import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { formatListen, isLoopback, isProxyEntry, parseListen, serializedOrigin } from './addresses.js'
import type { CheckContext } from './check-context.js'
import type { Finding } from './finding.js'
import { listOf, recordOf, type KeyPath } from './key-path.js'

/** What every supported system takes (macOS: 104 with the closing zero). */
const longestSocketPath = 103

/** Addresses, origins and files, and whether what is reachable from outside is meant to be. */
export function checkGateway(root: unknown, context: CheckContext): Finding[] {
  const gateway = recordOf(recordOf(root)['gateway'])
  return [
    ...checkListens(gateway, context),
    ...checkProxies(gateway['trustedProxies']),
    ...checkOrigins(recordOf(gateway['cors'])['origins']),
    ...checkTlsFiles(recordOf(gateway['tls']), context),
  ]
}

function checkListens(gateway: Readonly<Record<string, unknown>>, context: CheckContext): Finding[] {
  const guarded = gateway['open'] === true || listOf(gateway['apiKeys']).length > 0
  const seen = new Set<string>()
  return listens(gateway['listen']).flatMap(({ text, path }) => {
    const address = parseListen(text, context.baseDir)
    if (address === undefined) {
      return [
        {
          path,
          at: 'value',
          message: `\`${text}\` is not an address`,
          expected: 'HOST:PORT such as 127.0.0.1:8484, [::1]:8484, or unix:/path',
        },
      ]
    }
    const shown = formatListen(address)
    const twice = seen.has(shown) && !(address.kind === 'tcp' && address.port === 0)
    seen.add(shown)
    if (twice) return [{ path, at: 'value', message: `\`${shown}\` is listed twice` }]
    if (address.kind === 'unix' && Buffer.byteLength(address.path) > longestSocketPath) {
      return [{ path, at: 'value', message: `the socket path ${address.path} is too long`, expected: `at most ${longestSocketPath} bytes` }]
    }
    if (guarded || isLoopback(address)) return []
    const message = `\`${shown}\` can be reached by others and no key is asked for`
    return [{ path, at: 'value', message, hint: 'add apiKeys: [{ env: LB_API_KEY }] to gateway, or open: true if that is meant' }]
  })
}

function listens(value: unknown): { text: string; path: KeyPath }[] {
  if (typeof value === 'string') return [{ text: value, path: ['gateway', 'listen'] }]
  return listOf(value).flatMap((text, index) =>
    typeof text === 'string' && text !== '' ? [{ text, path: ['gateway', 'listen', index] }] : [],
  )
}

function checkProxies(entries: unknown): Finding[] {
  return listOf(entries).flatMap((entry, index): Finding[] => {
    if (typeof entry !== 'string' || entry === '' || isProxyEntry(entry)) return []
    const message = `\`${entry}\` is neither an address nor a network`
    return [
      { path: ['gateway', 'trustedProxies', index], at: 'value', message, expected: 'such as 10.0.0.7, 10.0.0.0/8, fd00::/8 or unix' },
    ]
  })
}

function checkOrigins(origins: unknown): Finding[] {
  return listOf(origins).flatMap((origin, index): Finding[] => {
    if (typeof origin !== 'string' || origin === '') return []
    const path = ['gateway', 'cors', 'origins', index]
    if (origin === '*') return [{ path, at: 'value', message: 'every origin is not one of a list', expected: "origins: '*'" }]
    const sent = serializedOrigin(origin)
    if (sent === origin) return []
    const words =
      sent === undefined ? { expected: 'scheme://host or scheme://host:port, such as http://localhost:3000' } : { suggestion: sent }
    return [{ path, at: 'value', message: `\`${origin}\` is not an origin as browsers send it`, ...words }]
  })
}

/** What could not be read at the start would be found out only by the first client. */
function checkTlsFiles(tls: Readonly<Record<string, unknown>>, context: CheckContext): Finding[] {
  return ['cert', 'key'].flatMap((name): Finding[] => {
    const file = tls[name]
    if (typeof file !== 'string' || file === '') return []
    const why = whyUnreadable(resolve(context.baseDir, file))
    return why === undefined ? [] : [{ path: ['gateway', 'tls', name], at: 'value', message: `${name}: ${why}` }]
  })
}

function whyUnreadable(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return `${file} is not a file`
    accessSync(file, constants.R_OK)
    return undefined
  } catch (error) {
    const missing = (error as { code?: unknown }).code === 'ENOENT'
    return missing ? `there is no file ${file}` : `${file} cannot be read by this user`
  }
}
