import { BlockList, isIP } from 'node:net'
import { isPort, MAX_MEMBERS, named, type Member } from '../topology/index.js'
import type { FoundServer, Truth } from './source.js'

export interface Admitted {
  /** With names, in an order that does not depend on that of the answer. */
  readonly members: readonly Member[]
  readonly notes: readonly string[]
}

/** What a source that others can write says is looked at first: no server of ours is at these addresses, and the link-local ones hand out the machine's own credentials. */
export function admitMembers({ servers, notes }: Truth, { trusted }: { readonly trusted: boolean }): Admitted {
  const said = [...notes]
  const usable = servers.filter(({ url }) => {
    const why = trusted ? undefined : refusal(url)
    if (why !== undefined && said.length < MOST_NOTES) said.push(`left out ${url.slice(0, 100)}: ${why}`)
    return why === undefined
  })
  const byUrl = new Map(usable.map((server) => [server.url, server]))
  if (byUrl.size < usable.length) said.push(`${usable.length - byUrl.size} entries stand twice and count once`)
  const all = named([...byUrl.values()])
  if (all.length > MAX_MEMBERS)
    said.push(`${all.length - MAX_MEMBERS} of ${all.length} are left out: a source has at most ${MAX_MEMBERS} members`)
  return { members: all.slice(0, MAX_MEMBERS).map(memberOf), notes: said.slice(0, MOST_NOTES) }
}

const MOST_NOTES = 5

function memberOf({ name, url, weight = 1, model, labels, rank = 0 }: FoundServer & { readonly name: string }): Member {
  return { name, url, weight, rank, ...(model === undefined ? {} : { model }), ...(labels === undefined ? {} : { labels }) }
}

function refusal(url: string): string | undefined {
  if (!URL.canParse(url)) return 'it makes no URL'
  const { hostname, port } = new URL(url)
  if (port !== '' && !isPort(Number(port))) return 'no such port'
  const host = hostname.replace(/^\[|\]$/g, '')
  const family = isIP(host)
  if (family === 0 || !forbidden.check(host, family === 4 ? 'ipv4' : 'ipv6')) return undefined
  return 'nobody serves at link-local, multicast and unspecified addresses'
}

const forbidden = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  forbidden.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
] as const)
  forbidden.addSubnet(net, bits, 'ipv6')
