/** Engines that cannot start: what `lb up` and `lb status` say, and how often it is tried. */
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { House, until, type NodeRow } from './house.js'

let house: House

afterEach(async () => {
  await house.close()
})

interface Failure extends NodeRow {
  readonly lastLines: readonly string[]
  readonly progress: number | null
}

function write(command: string, more = ''): void {
  house = new House()
  house.write(
    'lb.yaml',
    `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [m]
    nodes:
      - name: own
        engine: openai
        launch: { command: ${command}, ${more} }
`,
  )
}

const node = async (): Promise<Failure> => (await house.status()).pools[0]?.nodes[0] as Failure
const shell = (script: string): string => JSON.stringify(['sh', '-c', `${script} # \${PORT}`])

describe('an engine that cannot start', () => {
  it('because its command is not there is tried seldom, and the plan tells before', async () => {
    write(`[no-such-server-here, '\${PORT}']`)
    const up = await house.lb(['up', '--detach'])
    expect(up.code).toBe(1)
    const { state, reason, restarts } = await node()
    expect({ state, restarts }).toEqual({ state: 'failed', restarts: 0 })
    expect(reason).toMatch(/^not launched: the command `no-such-server-here` is not on the PATH of the engine; install it/)
    const plan = await house.lb(['plan'])
    expect(plan.stdout).toMatch(/no-such-server-here` is not on the PATH/)
  })

  it('because a library is missing says which, keeps its last lines, and does not burn its restarts', async () => {
    write(
      shell(
        "echo warming up; echo 'server: error while loading shared libraries: libgomp.so.1: cannot open shared object file' >&2; exit 127",
      ),
    )
    expect((await house.lb(['up', '--detach'])).code).toBe(1)
    const { reason, lastLines, restarts } = await node()
    expect(reason).toMatch(/^exited with code 127: the library libgomp\.so\.1 is missing; install it/)
    expect(lastLines[0]).toBe('warming up')
    expect(lastLines[1]).toContain('libgomp.so.1')
    expect(restarts).toBe(0)
    const shown = await house.lb(['status'])
    expect(shown.stdout).toMatch(/libgomp/)
  })

  it('for a reason that may pass is tried until its budget is spent', async () => {
    write(shell('echo CUDA out of memory; exit 1'), 'restarts: { max: 1, within: 1m }')
    expect((await house.lb(['up', '--detach'])).code).toBe(1)
    await until(async () => /is not started again/.test((await node()).reason ?? ''))
    expect((await node()).reason).toMatch(
      /^failed 2 times in 1 minutes and is not started again: exited with code 1: the memory of its GPU is full; give it another GPU/,
    )
  })

  it('because it stands still is given up; one that gets on is waited for', async () => {
    const beats = 'for i in 1 2 3 4 5 6; do echo "shard $i of 6"; sleep 0.5; done'
    write(shell(`${beats}; sleep 60`), 'readyWithin: 1500ms, restarts: { max: 0 }')
    const startedMs = performance.now()
    expect((await house.lb(['up', '--detach'])).code).toBe(1)
    expect(performance.now() - startedMs).toBeGreaterThan(4_000)
    expect((await node()).reason).toMatch(/not ready: no progress for 1\.5 s: shard 6 of 6/)
  })
})

describe('a server that is attached and cannot be spoken with', () => {
  const servers: Server[] = []

  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  async function listening(answer: string | Buffer): Promise<number> {
    const server = createServer((socket) => void socket.on('error', () => undefined).once('data', () => socket.end(answer)))
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  it.each([
    ['garbage', 'http', '\0\u00ffHELLO\r\n\r\n', 'answers, but not in HTTP; the URL of a server with TLS begins with https://'],
    [
      'two lengths',
      'http',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      'answers in broken HTTP (Duplicate Content-Length)',
    ],
    ['no TLS', 'https', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'answers, but not in TLS; the URL of a server without it begins with http://'],
  ])('is told by what it answers: %s', async (_, scheme, answer, told) => {
    const port = await listening(answer)
    house = new House(`gateway: { listen: 127.0.0.1:0 }
pools: { demo: { models: [m], nodes: [{ name: own, engine: openai, attach: '${scheme}://127.0.0.1:${port}' }] } }
`)
    const up = await house.lb(['up', '--detach'])
    expect(up.code).toBe(1)
    expect(`${up.stdout}${up.stderr}`).toContain(`failed  ${told}; will keep trying\n`)
  })
})
