import { formatListen, isLoopback, parseListen } from './addresses.js'
import type { CheckContext } from './check-context.js'
import type { Finding } from './finding.js'
import { listOf, recordOf, type KeyPath } from './key-path.js'

/** What every supported system takes (macOS: 104 with the closing zero). */
const longestSocketPath = 103

/** Addresses, and whether what is reachable from outside is meant to be. */
export function checkGateway(root: unknown, context: CheckContext): Finding[] {
  const gateway = recordOf(recordOf(root)['gateway'])
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
