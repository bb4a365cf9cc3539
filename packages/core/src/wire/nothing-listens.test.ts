import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { nothingListens } from './nothing-listens.js'

const rest = { host: '127.0.0.1', port: 0, tls: false, basePath: '', authority: 'a' }

it('tells a server that is gone from one that is there', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const target = { ...rest, port: (server.address() as AddressInfo).port }
  expect(await nothingListens(target)).toBe(false)
  server.close()
  await once(server, 'close')
  expect(await nothingListens(target)).toBe(true)
  expect(await nothingListens({ ...rest, socketPath: '/nowhere/at/all' })).toBe(true)
})
