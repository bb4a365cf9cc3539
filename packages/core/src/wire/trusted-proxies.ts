import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import type { HeaderView } from '../contracts/index.js'

/** Whose word about the client's address is believed. */
export interface TrustedProxies {
  /** `unix` stands for peers on unix sockets. */
  trusts(address: string): boolean
  /** The nearest address that is not trusted, by `Forwarded` (RFC 7239) or `X-Forwarded-For`, read from the right; the peer's own when it is not trusted. */
  clientAddress(peerAddress: string, headers: HeaderView): string
}

const MAX_HOPS = 32

/** Entries are IP addresses, CIDRs, or the word `unix`; all were checked by the topology. */
export function createTrustedProxies(entries: readonly string[]): TrustedProxies {
  if (entries.length === 0) return { trusts: () => false, clientAddress: (peer) => peer }
  const list = new BlockList()
  for (const entry of entries) addTo(list, entry)
  const unix = entries.includes('unix')
  const trusts = (address: string): boolean => {
    if (address === 'unix') return unix
    const plain = unmapped(address)
    return isIP(plain) !== 0 && list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
  }
  return {
    trusts,
    clientAddress(peerAddress, headers) {
      if (!trusts(peerAddress)) return peerAddress
      let nearest = peerAddress
      for (const hop of hopsOf(headers).slice(-MAX_HOPS).toReversed()) {
        if (hop === undefined) return nearest
        nearest = hop
        if (!trusts(hop)) return hop
      }
      return nearest
    },
  }
}

function addTo(list: BlockList, entry: string): void {
  const [address = '', prefix] = entry.split('/')
  if (isIP(address) === 0) return
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  if (prefix === undefined) list.addAddress(address, family)
  else list.addSubnet(address, Number(prefix), family)
}

/** Addresses from the client to the nearest proxy; undefined where one cannot be read: nothing behind it is believed. */
function hopsOf(headers: HeaderView): (string | undefined)[] {
  const forwarded = headers['forwarded'] === undefined ? undefined : forwardedHops(headers['forwarded'])
  return forwarded ?? (headers['x-forwarded-for'] ?? '').split(',').filter((hop) => hop.trim() !== '').map((hop) => addressOf(hop.trim()))
}

/** RFC 7239: elements separated by commas, pairs by semicolons, values as tokens or quoted strings. Undefined for anything else. */
function forwardedHops(value: string): (string | undefined)[] | undefined {
  const hops: (string | undefined)[] = []
  const pair = /[\t ]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=([!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[^"\\]|\\.)*")[\t ]*([;,]|$)/y
  let hop: string | undefined
  while (pair.lastIndex < value.length) {
    const match = pair.exec(value)
    if (match === null) return undefined
    const [, name = '', raw = '', end] = match
    if (name.toLowerCase() === 'for') hop = addressOf(raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, '$1') : raw)
    if (end === ';') continue
    hops.push(hop)
    hop = undefined
  }
  return hops
}

/** An address without its port and brackets; undefined for `unknown`, obfuscated names and nonsense. */
function addressOf(text: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1]
  const bare = bracketed ?? (isIPv6(text) ? text : text.replace(/:\d+$/, ''))
  return isIP(bare) === 0 ? undefined : unmapped(bare)
}

/** IPv4 in the clothes of IPv6 is IPv4: a dual-stack listener sees its peers that way. */
function unmapped(address: string): string {
  const inside = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return inside !== undefined && isIPv4(inside) ? inside : address
}
