import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { serversOfSlices, type EndpointSlice } from './endpoint-slices.js'
import { readSlice } from './read-slice.js'

type Conditions = NonNullable<NonNullable<EndpointSlice['endpoints']>[number]['conditions']>

const endpoint = (address: string, conditions: Conditions = { ready: true }, uid = address) => ({
  addresses: [address],
  conditions,
  targetRef: { kind: 'Pod', name: `pod-${uid}`, uid },
  zone: 'z1',
})
const slice = (endpoints: NonNullable<EndpointSlice['endpoints']> | null, more: Partial<EndpointSlice> = {}): EndpointSlice => ({
  metadata: { name: 's' },
  addressType: 'IPv4',
  ports: [
    { name: 'metrics', port: 9000, protocol: 'TCP' },
    { name: 'http', port: 8000, protocol: 'TCP' },
  ],
  endpoints,
  ...more,
})
const urlsOf = (slices: readonly EndpointSlice[], port?: string): readonly string[] =>
  serversOfSlices(slices, { service: 'vllm', ...(port === undefined ? {} : { port }) }).servers.map(({ url }) => url)

describe('the servers of a service', () => {
  it('are its ready endpoints at the port named http, else the first, with where they run', () => {
    const { servers } = serversOfSlices([slice([endpoint('10.0.0.5'), endpoint('10.0.0.6', { ready: false })])], { service: 'vllm' })
    expect(servers).toEqual([{ url: 'http://10.0.0.5:8000', labels: { pod: 'pod-10.0.0.5', zone: 'z1' } }])
    expect(urlsOf([slice([endpoint('10.0.0.5')], { ports: [{ port: 7000 }] })])).toEqual(['http://10.0.0.5:7000'])
  })

  it('are at the port that was asked for, by name or number', () => {
    expect(urlsOf([slice([endpoint('10.0.0.5')])], 'metrics')).toEqual(['http://10.0.0.5:9000'])
    expect(urlsOf([slice([endpoint('10.0.0.5')])], '9000')).toEqual(['http://10.0.0.5:9000'])
    expect(() => urlsOf([slice([endpoint('10.0.0.5')])], '80')).toThrow(
      'the pods of vllm have no port 80; they have 9000 (metrics), 8000 (http)',
    )
  })

  it('count as ready where nobody says, as the API has it, and not while they end', () => {
    expect(urlsOf([slice([endpoint('10.0.0.5', {}), endpoint('10.0.0.6', { ready: null as never })])])).toHaveLength(2)
    expect(urlsOf([slice([endpoint('10.0.0.5'), endpoint('10.0.0.6', { ready: false, serving: true, terminating: true })])])).toEqual([
      'http://10.0.0.5:8000',
    ])
  })

  it('are those that are ending and still serve only while there is no other', () => {
    const ending = endpoint('10.0.0.6', { ready: false, serving: true, terminating: true })
    const gone = endpoint('10.0.0.7', { ready: false, serving: false, terminating: true })
    const { servers, notes } = serversOfSlices([slice([ending, gone])], { service: 'vllm' })
    expect(servers.map(({ url }) => url)).toEqual(['http://10.0.0.6:8000'])
    expect(notes).toEqual(['no endpoint is ready; those that are ending and still serve are used'])
  })

  it('count once where a pod has two addresses, by the IPv4 one', () => {
    const v6 = slice([endpoint('fd00::5', { ready: true }, 'a'), endpoint('fd00::6', { ready: true }, 'b')], { addressType: 'IPv6' })
    expect(urlsOf([v6, slice([endpoint('10.0.0.5', { ready: true }, 'a')])])).toEqual(['http://10.0.0.5:8000', 'http://[fd00::6]:8000'])
  })

  it('are none where there is nothing, with a word about it', () => {
    expect(serversOfSlices([], { service: 'vllm' })).toEqual({
      servers: [],
      notes: ['no EndpointSlice belongs to vllm: is there such a service?'],
    })
    expect(urlsOf([slice(null), slice([], { ports: null })])).toEqual([])
  })

  it('are read with care: names, ports and addresses that are none', () => {
    expect(urlsOf([slice([endpoint('a.test')], { addressType: 'FQDN' })])).toEqual([])
    expect(urlsOf([slice([{ addresses: [] }, { addresses: [''] }, {}])])).toEqual([])
    expect(() => urlsOf([slice([endpoint('10.0.0.5')], { ports: [{ port: 99_999 }, { port: 53, protocol: 'UDP' }] })])).toThrow(
      'they have none',
    )
  })
})

describe('what an API server may send', () => {
  it('is read as it is where it is as it should be', () => {
    const whole = slice([endpoint('10.0.0.5')])
    expect(urlsOf([readSlice(JSON.parse(JSON.stringify(whole)))])).toEqual(urlsOf([whole]))
  })

  it('never throws anything but the ports that there are', () => {
    const odd = fc.record(
      {
        addressType: fc.oneof(fc.constantFrom('IPv4', 'IPv6', 'FQDN'), fc.jsonValue()),
        ports: fc.oneof(fc.jsonValue(), fc.array(fc.record({ port: fc.oneof(fc.integer(), fc.jsonValue()), name: fc.jsonValue() }))),
        endpoints: fc.oneof(
          fc.jsonValue(),
          fc.array(
            fc.record({
              addresses: fc.oneof(fc.jsonValue(), fc.array(fc.string())),
              conditions: fc.jsonValue(),
              targetRef: fc.jsonValue(),
            }),
          ),
        ),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, fc.jsonValue()), { maxLength: 4 }), (values) => {
        try {
          for (const url of urlsOf(values.map(readSlice))) expect(url).toMatch(/^http:\/\//)
        } catch (error) {
          expect(String(error)).toContain('have no port')
        }
      }),
    )
  })
})
