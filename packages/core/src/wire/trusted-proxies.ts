import { BlockList, isIPv4 } from 'node:net'
import type { HeaderView } from '../contracts/index.js'
import { plainAddress } from './plain-address.js'

/** Whose word about the client's address is believed. */
export interface TrustedProxies {
  /** `unix` stands for peers on unix sockets. */
  trusts(address: string): boolean
  /** The nearest address that is not trusted, by `Forwarded` (RFC 7239) or `X-Forwarded-For`, read from the right; the peer's own when it is not trusted. */
  clientAddress(peerAddress: string, headers: HeaderView): string
}

const MAX_HOPS = 32
/** The same few proxies ask for ever, and the list itself is slow to ask. */
const MOST_VERDICTS = 1024

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
/** One `name=value` of a Forwarded element and what ends it. */
const PAIR = new RegExp(`[\\t ]*(${TOKEN})=(${TOKEN}|"(?:[^"\\\\]|\\\\.)*")[\\t ]*([;,]|$)`, 'y')

/** Entries are IP addresses, CIDRs, or the word `unix`; all were checked by the topology. */
export function createTrustedProxies(entries: readonly string[]): TrustedProxies {
  if (entries.length === 0) return { trusts: () => false, clientAddress: (peer) => unmapped(peer) }
  const list = new BlockList()
  for (const entry of entries) addTo(list, entry)
  const unix = entries.includes('unix')
  const verdicts = new Map<string, boolean>()
  const judge = (address: string): boolean => {
    if (address === 'unix') return unix
    const plain = plainAddress(address)
    return plain !== undefined && list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
  }
  const trusts = (address: string): boolean => {
    const known = verdicts.get(address)
    if (known !== undefined) return known
    if (verdicts.size >= MOST_VERDICTS) verdicts.clear()
    const verdict = judge(address)
    verdicts.set(address, verdict)
    return verdict
  }
  return {
    trusts,
    clientAddress(peerAddress, headers) {
      let nearest = unmapped(peerAddress)
      if (!trusts(peerAddress)) return nearest
      for (const hop of hopsOf(headers).slice(-MAX_HOPS).toReversed()) {
        const address = addressOf(hop)
        if (address === undefined) return nearest
        nearest = address
        if (!trusts(address)) return address
      }
      return nearest
    },
  }
}

/** A network written in mapped form is the network of IPv4 that it means. */
function addTo(list: BlockList, entry: string): void {
  const [given = '', prefix] = entry.split('/')
  const address = plainAddress(given)
  if (address === undefined) return
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  const shift = family === 'ipv4' && given.includes(':') ? 96 : 0
  if (prefix === undefined) list.addAddress(address, family)
  else if (Number(prefix) >= shift) list.addSubnet(address, Number(prefix) - shift, family)
  else list.addSubnet(given, Number(prefix), 'ipv6')
}

/** The hops as they are written, from the client to the nearest proxy. A Forwarded that cannot be read is as good as none. */
function hopsOf(headers: HeaderView): readonly string[] {
  const forwarded = forwardedHops(headers['forwarded'] ?? '')
  if (forwarded !== undefined) return forwarded
  return (headers['x-forwarded-for'] ?? '').split(',').flatMap((hop) => (hop.trim() === '' ? [] : [hop.trim()]))
}

/** RFC 7239: elements separated by commas, pairs by semicolons, values as tokens or quoted strings. Undefined for anything else, and for nothing. */
function forwardedHops(value: string): readonly string[] | undefined {
  const hops: string[] = []
  let hop: string | undefined
  for (let at = 0; at < value.length;) {
    PAIR.lastIndex = at
    const match = PAIR.exec(value)
    if (match === null) return undefined
    at = PAIR.lastIndex
    const [, name = '', raw = '', end = ''] = match
    if (name.toLowerCase() === 'for') {
      if (hop !== undefined) return undefined
      hop = raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, '$1') : raw
    }
    if (end === ';') continue
    // An element that says nothing of its client hides a hop: nothing behind it is believed.
    hops.push(hop ?? 'unknown')
    hop = undefined
  }
  return hops.length === 0 ? undefined : hops
}

/** An address without its port and brackets; undefined for `unknown`, obfuscated names and nonsense. */
function addressOf(text: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::(?:\d{1,5}|_[A-Za-z0-9._-]+))?$/.exec(text)?.[1]
  if (bracketed !== undefined) return bracketed.includes(':') ? plainAddress(bracketed) : undefined
  return plainAddress(text) ?? plainAddress(text.replace(/^([^:]*):(?:\d{1,5}|_[A-Za-z0-9._-]+)$/, '$1'))
}

function unmapped(address: string): string {
  return address.startsWith('::ffff:') ? (plainAddress(address) ?? address) : address
}
