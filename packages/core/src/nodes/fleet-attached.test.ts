import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { attachGroup, fleetMaker, topologyOf } from './fleet.test.fixture.js'

const make = fleetMaker()
const ID = 'demo/far'
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function serve(port = 0): Promise<{ server: Server; url: string; port: number }> {
  const server = createServer((_request, response) => response.end('ok'))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const at = (server.address() as AddressInfo).port
  return { server, url: `http://127.0.0.1:${at}`, port: at }
}

describe('an attached node', () => {
  it('says that it does not answer, keeps trying, and is ready once it does', async () => {
    const { port, server, url } = await serve()
    await new Promise((resolve) => server.close(resolve))
    const { fleet, judge, until } = make()
    await fleet.apply(topologyOf([attachGroup(url)]))
    for (let round = 0; round < 20; round += 1) await judge()
    expect(fleet.nodes()[0]).toMatchObject({ state: 'failed', reason: 'does not answer (connection refused); will keep trying' })
    await serve(port)
    await until(ID, 'ready')
    expect(fleet.nodes()[0]?.reason).toBeNull()
  })

  it('is routed to while suspected only where no other is ready', async () => {
    const [one, two] = [await serve(), await serve()]
    const { fleet, judge, until } = make()
    await fleet.apply(topologyOf([attachGroup(one.url), { ...attachGroup(two.url), name: 'other' }]))
    await until(ID, 'ready')
    await until('demo/other', 'ready')
    await new Promise((resolve) => one.server.close(resolve))
    await judge()
    expect(fleet.nodes()[0]?.state).toBe('suspect')
    expect(
      fleet
        .current()
        .routable('demo')
        .map(({ id }) => id),
    ).toEqual(['demo/other'])
    await new Promise((resolve) => two.server.close(resolve))
    await judge()
    expect(
      fleet
        .current()
        .routable('demo')
        .map(({ id }) => id),
    ).toEqual([ID, 'demo/other'])
  })

  it('stays drained whatever its probes say, cannot be restarted, and can be resumed', async () => {
    const { url } = await serve()
    const { fleet, judge, until } = make()
    await fleet.apply(topologyOf([attachGroup(url)]))
    await until(ID, 'ready')
    const roster = fleet.current()
    fleet.drain(ID)
    expect(roster.routable('demo')).toHaveLength(1)
    expect(fleet.current().version).toBeGreaterThan(roster.version)
    await judge()
    expect(fleet.nodes()[0]).toMatchObject({ state: 'draining', reason: 'asked by you' })
    await expect(fleet.restart(ID)).rejects.toMatchObject({ code: 'LB_NODE_NOT_LAUNCHED', httpStatus: 409 })
    await fleet.resume(ID)
    expect(fleet.nodes()[0]?.state).toBe('ready')
    await expect(fleet.resume(ID)).rejects.toMatchObject({ code: 'LB_NODE_NOT_DRAINING' })
    fleet.nodes()[0]?.eject({ reason: 'ejected for 1 s: x', untilMs: 1_000 })
    await judge()
    expect(fleet.nodes()[0]?.state).toBe('suspect')
    await fleet.resume(ID)
    expect(fleet.nodes()[0]).toMatchObject({ state: 'ready', reason: 'readmitted by you' })
    expect(() => fleet.drain('demo/none')).toThrow(expect.objectContaining({ code: 'LB_UNKNOWN_NODE' }))
  })

  it('drained before it was ever seen alive is judged anew when resumed', async () => {
    const { port, server, url } = await serve()
    await new Promise((resolve) => server.close(resolve))
    const { fleet, judge, until } = make()
    await fleet.apply(topologyOf([attachGroup(url)]))
    fleet.drain(ID)
    await fleet.resume(ID)
    expect(fleet.nodes()[0]?.state).toBe('starting')
    await judge()
    expect(fleet.nodes()[0]?.state).toBe('failed')
    await serve(port)
    await until(ID, 'ready')
  })

  it('whose key is missing says so, and others are not touched', async () => {
    const { url } = await serve()
    const { fleet, until } = make()
    await fleet.apply(topologyOf([{ ...attachGroup(url), name: 'keyed', apiKey: { env: 'LB_NO_SUCH_KEY' } }, attachGroup(url)]))
    expect(fleet.nodes()[0]).toMatchObject({ state: 'failed' })
    expect(fleet.nodes()[0]?.reason).toContain('LB_NO_SUCH_KEY')
    await until(ID, 'ready')
  })
})
