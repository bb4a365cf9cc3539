import { isIP, isIPv4, SocketAddress } from 'node:net'

const MAPPED = '::ffff:'

/**
 * One spelling for one address, so that limits and logs count it once: IPv4 in the clothes of IPv6 is IPv4 (a dual-stack listener sees its peers
 * that way), IPv6 is in its shortest form without a zone. Undefined where the text is no IP address.
 */
export function plainAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  const zone = text.indexOf('%')
  const address = zone === -1 ? text : text.slice(0, zone)
  if (isIP(address) !== 6) return undefined
  const plain = new SocketAddress({ address, family: 'ipv6' }).address
  const inside = plain.startsWith(MAPPED) ? plain.slice(MAPPED.length) : ''
  return isIPv4(inside) ? inside : plain
}
