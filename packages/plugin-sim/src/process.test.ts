import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

/** The script runs what `tsc -b` built, as a launched node does. */
const script = fileURLToPath(new URL('../bin/lb-sim-engine.js', import.meta.url))
const children: ChildProcess[] = []

function launch(...args: string[]) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void (output.text += chunk.toString()))
  const exit = once(child, 'close') as Promise<[number | null, string | null]>
  return { child, output, exit }
}

async function urlOf({ child, output }: ReturnType<typeof launch>): Promise<string> {
  for (;;) {
    const url = /http:\/\/127\.0\.0\.1:\d+/u.exec(output.text)?.[0]
    if (url !== undefined) return url
    await Promise.race([once(child.stdout, 'data'), once(child, 'close').then(() => Promise.reject(new Error(output.text)))])
  }
}

describe('the process lb-sim-engine', () => {
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  it('serves what its flags say and exits at once on SIGTERM, with a stream running', async () => {
    const engine = launch('--port', '0', '--model', 'a', '--model', 'b', '--profile', '8b-h100')
    const url = await urlOf(engine)
    expect(await (await fetch(`${url}/v1/models`)).json()).toMatchObject({ data: [{ id: 'a' }, { id: 'b' }] })
    const body = JSON.stringify({ model: 'b', stream: true, messages: [{ role: 'user', content: 'hi' }] })
    const stream = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    engine.child.kill('SIGTERM')
    expect(await engine.exit).toEqual([0, null])
    await expect(stream.text()).rejects.toThrow(/terminated/u)
  })

  it('exits with code 98 and says so when its port is taken', async () => {
    const squatter = createServer().listen(0, '127.0.0.1')
    await once(squatter, 'listening')
    const { port } = squatter.address() as AddressInfo
    const engine = launch('--port', String(port))
    expect(await engine.exit).toEqual([98, null])
    expect(engine.output.text).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`)
    squatter.close()
  })

  it('dies as by kill -9 when told to, and leaves with 1 on exit-on-load', async () => {
    const engine = launch('--port', '0')
    const url = await urlOf(engine)
    await fetch(`${url}/sim/faults`, { method: 'POST', body: '{"fault":"die"}' }).catch(() => 'gone')
    expect(await engine.exit).toEqual([null, 'SIGKILL'])
    const failing = launch('--port', '0', '--fault', 'exit-on-load')
    expect(await failing.exit).toEqual([1, null])
    expect(failing.output.text).toContain('giving up while loading')
  })

  it.each([
    [['--profile', 'huge'], /--profile huge is unknown; known: 8b-a100/],
    [['--port', 'x'], /--port must be a number/],
    [['--colour', 'red'], /--colour/],
    [['--fault', 'explode'], /unknown fault "explode"; known: die/],
  ])('refuses %j', async (args, message) => {
    const engine = launch(...args)
    const [code] = await engine.exit
    expect(code).toBe(2)
    expect(engine.output.text).toMatch(message)
  })
})
