import { spawnSync } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { House, binary, simTopology, until } from './house.js'
import { chat } from './thread-load.js'

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0
const PERSISTENT = 'GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n'

let house: House
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await house.close()
})

interface Knock {
  readonly socket: Socket
  /** `200`, or the code of the refusal; what broke, where nothing was said. */
  readonly told: string
}

/** Opens a connection, asks once and keeps it. */
function knock(url: string): Promise<Knock> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  sockets.push(socket)
  return new Promise((resolve) => {
    let text = ''
    const tell = (told: string): void => resolve({ socket, told })
    socket.on('error', (error) => tell(String(error)))
    socket.on('close', () => tell(/LB_[A-Z_]+/.exec(text)?.[0] ?? `closed after ${text.length} bytes`))
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part
      if (text.startsWith('HTTP/1.1 200')) tell('200')
    })
    socket.write(PERSISTENT)
  })
}

/** One after the other, so that no two are counted at the same moment. */
async function knocks(url: string, count: number): Promise<Knock[]> {
  const all: Knock[] = []
  while (all.length < count) all.push(await knock(url))
  return all
}

/** Asks for a stream on a connection that is open. `whole`, or the code of the refusal. */
function stream(socket: Socket): Promise<string> {
  const body = chat('hello', 8, { stream: true })
  return new Promise((resolve) => {
    let text = ''
    socket.on('close', () => resolve(`closed after ${text.length} bytes`))
    socket.on('data', (part: string) => {
      text += part
      if (text.includes('data: [DONE]')) resolve('whole')
      else if (text.startsWith('HTTP/1.1 503')) resolve(/LB_[A-Z_]+/.exec(text)?.[0] ?? text)
    })
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
  })
}

const tally = (all: readonly Pick<Knock, 'told'>[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set(all.map(({ told }) => told))].sort().map((told) => [told, all.filter((each) => each.told === told).length]),
  )

it('two data threads take as many connections together as the gateway was given', async () => {
  house = new House(
    simTopology({ replicas: 1, profile: 'instant' }).replace('127.0.0.1:0 }', '127.0.0.1:0, workers: 2, maxConnections: 12 }'),
  )
  const url = await house.up()
  const first = await knocks(url, 30)
  expect(tally(first)).toEqual({ '200': 12, LB_TOO_MANY_CONNECTIONS: 18 })
  // Places come free, whichever thread had them.
  for (const { socket } of first.filter(({ told }) => told === '200').slice(0, 7)) socket.destroy()
  const more: Knock[] = []
  await until(async () => {
    more.push(await knock(url))
    return more.filter(({ told }) => told === '200').length === 7
  })
  expect(tally(await knocks(url, 5))).toEqual({ LB_TOO_MANY_CONNECTIONS: 5 })
})

it.skipIf(!hasPrlimit)(
  'with a low limit of open files, who is too many is told so, and those who are in and the operator find room',
  async () => {
    const most = 200
    house = new House(simTopology({ replicas: 1, profile: 'laptop-3b', more: '    retries: { wait: 300ms }' }))
    const up = spawnSync('prlimit', [`--nofile=${most}:${most}`, binary, 'up', '--detach'], {
      cwd: house.cwd,
      env: house.env,
      encoding: 'utf8',
    })
    expect([up.status, up.stderr]).toEqual([0, ''])
    const url = (await house.status()).gateway.listen[0] ?? ''
    expect(house.logs()).toContain('gateway.few_descriptors')

    const all = await knocks(url, most + 50)
    const { '200': taken = 0, LB_NO_DESCRIPTOR: told = 0 } = tally(all)
    // A quarter is kept for everything else.
    expect([taken, told]).toEqual([most - most / 4, all.length - taken])
    const looks = async (): Promise<void> => expect((await house.status()).pools[0]?.nodes.map(({ state }) => state)).toEqual(['ready'])
    await looks()

    // All who are in ask at once: too many for the engine's side, and still the operator finds room.
    const streams = all.filter((each) => each.told === '200').map(({ socket }) => stream(socket))
    let looked = 0
    let isOver = false
    const over = Promise.all(streams).finally(() => (isOver = true))
    while (!isOver) {
      await looks()
      looked += 1
    }
    const ends = tally((await over).map((told) => ({ told })))
    expect(Object.keys(ends)).toEqual(['LB_NO_DESCRIPTOR', 'whole'])
    expect(looked).toBeGreaterThan(3)

    for (const { socket } of all) socket.destroy()
    await until(async () => (await knock(url)).told === '200')
  },
)
