import { isPort } from '../topology/index.js'
import type { FoundServer, Truth } from './source.js'

/** What of an EndpointSlice (discovery.k8s.io/v1) matters here; every field may be missing or null. */
export interface EndpointSlice {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string }
  readonly addressType?: string
  readonly ports?: readonly SlicePort[] | null
  readonly endpoints?: readonly Endpoint[] | null
}

interface SlicePort {
  readonly name?: string | null
  readonly port?: number | null
  readonly protocol?: string | null
}

interface Endpoint {
  readonly addresses?: readonly string[]
  readonly conditions?: { readonly ready?: boolean | null; readonly serving?: boolean | null; readonly terminating?: boolean | null }
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly uid?: string }
  readonly nodeName?: string
  readonly zone?: string
}

/** An endpoint with its slice's port. */
interface Reached {
  readonly endpoint: Endpoint
  readonly address: string
  readonly port: number
  readonly isV6: boolean
}

/**
 * The servers of a service: one for each ready endpoint. A terminating one is left to finish its requests; only while no endpoint is ready, those that still
 * serve while they end count (as kube-proxy has it). A pod with two addresses counts once, by its IPv4 one. Throws where no slice has the wanted port.
 */
export function serversOfSlices(slices: readonly EndpointSlice[], service: { readonly service: string; readonly port?: string }): Truth {
  const notes: string[] = slices.length === 0 ? [`no EndpointSlice belongs to ${service.service}: is there such a service?`] : []
  const names = slices.filter((slice) => slice.addressType === 'FQDN').length
  if (names > 0) notes.push(`${names} slices of names are left out: names are not looked up`)
  const reached = slices.filter((slice) => slice.addressType !== 'FQDN').flatMap((slice) => reachedOf(slice, service))
  const ready = reached.filter(({ endpoint }) => endpoint.conditions?.ready !== false && endpoint.conditions?.terminating !== true)
  const ending = reached.filter(({ endpoint }) => endpoint.conditions?.serving === true && endpoint.conditions.terminating === true)
  if (ready.length === 0 && ending.length > 0) notes.push('no endpoint is ready; those that are ending and still serve are used')
  return { servers: oncePerPod(ready.length > 0 ? ready : ending).map(serverOf), notes }
}

function reachedOf(slice: EndpointSlice, { service, port: wanted }: { readonly service: string; readonly port?: string }): Reached[] {
  const endpoints = slice.endpoints ?? []
  if (endpoints.length === 0) return []
  const ports = (slice.ports ?? []).filter(
    ({ protocol, port }) => (protocol ?? 'TCP') === 'TCP' && typeof port === 'number' && isPort(port),
  )
  const port = portOf(ports, wanted)
  if (port === undefined) {
    const known = ports.map(
      ({ name, port: number }) => `${number ?? ''}${name === undefined || name === null || name === '' ? '' : ` (${name})`}`,
    )
    throw new Error(`the pods of ${service} have no port ${wanted ?? ''}; they have ${known.length === 0 ? 'none' : known.join(', ')}`)
  }
  return endpoints.flatMap((endpoint) => {
    const address = endpoint.addresses?.[0]
    return typeof address === 'string' && address !== '' ? [{ endpoint, address, port, isV6: slice.addressType === 'IPv6' }] : []
  })
}

function portOf(ports: readonly SlicePort[], wanted: string | undefined): number | undefined {
  const chosen =
    wanted === undefined
      ? (ports.find(({ name }) => name === 'http') ?? ports[0])
      : ports.find(({ name, port }) => name === wanted || String(port) === wanted)
  return chosen?.port ?? undefined
}

function oncePerPod(reached: readonly Reached[]): readonly Reached[] {
  const byPod = new Map<string, Reached>()
  for (const each of reached) {
    const key = each.endpoint.targetRef?.uid ?? each.address
    const other = byPod.get(key)
    if (other === undefined || (other.isV6 && !each.isV6)) byPod.set(key, each)
  }
  return [...byPod.values()]
}

function serverOf({ endpoint, address, port, isV6 }: Reached): FoundServer {
  const { targetRef, nodeName, zone } = endpoint
  const labels = Object.fromEntries(
    Object.entries({ pod: targetRef?.name, machine: nodeName, zone }).filter(([, value]) => typeof value === 'string'),
  ) as Record<string, string>
  return { url: `http://${isV6 ? `[${address}]` : address}:${port}`, ...(Object.keys(labels).length === 0 ? {} : { labels }) }
}
