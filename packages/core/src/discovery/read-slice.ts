import type { EndpointSlice } from './endpoint-slices.js'

/** An EndpointSlice as an API server sent it, with everything left out that is not as it should be. */
export function readSlice(value: unknown): EndpointSlice {
  const { metadata, addressType, ports, endpoints } = recordOf(value)
  const { name, resourceVersion } = recordOf(metadata)
  return {
    metadata: { ...text({ name }), ...text({ resourceVersion }) },
    ...text({ addressType }),
    ports: listOf(ports).map(readPort),
    endpoints: listOf(endpoints).map(readEndpoint),
  }
}

type Port = NonNullable<EndpointSlice['ports']>[number]
type Endpoint = NonNullable<EndpointSlice['endpoints']>[number]

function readPort(value: unknown): Port {
  const { name, port, protocol } = recordOf(value)
  return { ...text({ name }), ...text({ protocol }), ...(typeof port === 'number' ? { port } : {}) }
}

function readEndpoint(value: unknown): Endpoint {
  const { addresses, conditions, targetRef, nodeName, zone } = recordOf(value)
  const { name, uid } = recordOf(targetRef)
  const { ready, serving, terminating } = recordOf(conditions)
  return {
    addresses: listOf(addresses).filter((address) => typeof address === 'string'),
    conditions: { ...flag({ ready }), ...flag({ serving }), ...flag({ terminating }) },
    targetRef: { ...text({ name }), ...text({ uid }) },
    ...text({ nodeName }),
    ...text({ zone }),
  }
}

const MAX_TEXT = 1_024

/** The key with its value, where that is a text of sane length. */
function text<Key extends string>(entry: Readonly<Record<Key, unknown>>): Partial<Record<Key, string>> {
  return kept(entry, (value) => typeof value === 'string' && value.length <= MAX_TEXT)
}

function flag<Key extends string>(entry: Readonly<Record<Key, unknown>>): Partial<Record<Key, boolean>> {
  return kept(entry, (value) => typeof value === 'boolean')
}

function kept<Key extends string, Value>(
  entry: Readonly<Record<Key, unknown>>,
  fits: (value: unknown) => boolean,
): Partial<Record<Key, Value>> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => fits(value))) as Partial<Record<Key, Value>>
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
