import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { NodeStatus } from '@plimsoll/core'
import { House, until } from './house.js'

const standIn = fileURLToPath(new URL('engines/llama-server.ts', import.meta.url))
let house: House

afterEach(async () => {
  await house.close()
})

/** A GGUF file with one key and no tensors: enough to be one. */
function writeModel(name = 'tiny.gguf'): string {
  const bytes = Buffer.alloc(128)
  bytes.write('GGUF')
  bytes.writeUInt32LE(3, 4)
  bytes.writeUInt32LE(1, 16)
  let at = bytes.writeUInt32LE('general.architecture'.length, 24) + 4
  at += bytes.write('general.architecture', at)
  at = bytes.writeUInt32LE(8, at)
  at = bytes.writeUInt32LE('llama'.length, at) + 4
  bytes.write('llama', at)
  const path = house.write(name, '')
  writeFileSync(path, bytes)
  return path
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A house whose only node is launched by the plugin's own plan, with the stand-in in place of the binary. */
function topology(more = '', args = ''): string {
  return `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [qwen, gpt-4o-mini]
    drain: 300ms
    nodes:
      - name: lama
        engine: llamacpp
        apiKey: { env: NODE_KEY }
        launch:
          command: ['${process.execPath}', '${standIn}']
          model: '${join(house.cwd, 'tiny.gguf')}'
          args: { contextTokens: 8192, slots: 4, ${args} }
          restarts: { max: 0 }
          env: { STAND_IN_NOTES: '${house.cwd}' }
${more}`
}

const env = {
  NODE_KEY: 'sekret-of-the-node',
  LLAMA_ARG_CTX_SIZE: '7',
  LLAMA_ARG_PORT: '1',
  LLAMA_API_KEY: 'of-the-shell',
  AIP_MODE: 'PREDICTION',
}

const node = async (): Promise<NodeStatus> => {
  const [first] = (await house.status()).pools[0]?.nodes ?? []
  return first as unknown as NodeStatus
}

interface Notes {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

function notes(): readonly unknown[] {
  const lines = readFileSync(join(house.cwd, 'notes.jsonl'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as unknown)
}

function ask(url: string, content: string, more: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'qwen', messages: [{ role: 'user', content }], ...more }),
  })
}

describe('a launched llama-server', () => {
  it('loads, becomes ready, answers, tells its load, and is gone after lb down', async () => {
    house = new House()
    house.write('lb.yaml', topology())
    writeModel()
    const up = house.lb(['up', '--detach'], env)
    const early = up.then(({ stdout, stderr }) => Promise.reject(new Error(`lb up ended before its node was loading:\n${stdout}${stderr}`)))
    await Promise.race([early, until(async () => (await node().catch(() => undefined))?.state === 'loading', 30_000)])
    early.catch(() => undefined)
    await until(async () => (await node()).reason?.includes('loading') === true)
    expect((await node()).pid).toBeGreaterThan(0)
    house.write('go', '')
    await until(async () => (await node()).state === 'ready', 30_000)
    expect((await up).code).toBe(0)

    const url = (await house.status()).gateway.listen[0] ?? ''
    const plain = await ask(url, 'hello')
    expect(plain.status).toBe(200)
    expect(await plain.json()).toMatchObject({ object: 'chat.completion', choices: [{ message: { role: 'assistant' } }] })
    const stream = await ask(url, 'hello', { stream: true })
    expect(await stream.text()).toMatch(/^data: \{.*data: \[DONE\]\s*$/s)
    const refused = await ask(url, 'word word word')
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: { type: 'exceed_context_size_error' } })

    expect(await node()).toMatchObject({ version: 'b10573-3f545becc', host: 'here' })
    await until(async () => (await node()).load?.running === 0, 20_000)
    expect((await node()).load).toMatchObject({ waiting: 0, slots: 4, contextTokens: 2048, kvUsedRatio: 0 })

    const { argv, env: seen } = notes()[0] as Notes
    const port = new URL((await node()).url).port
    expect(argv.join(' ')).toBe(`--host 127.0.0.1 --port ${port} -m ${join(house.cwd, 'tiny.gguf')} -a qwen --metrics -c 8192 -np 4`)
    expect(seen['LLAMA_API_KEY']).toBe(env.NODE_KEY)
    expect(Object.keys(seen).filter((name) => name.startsWith('LLAMA_ARG_') || name === 'AIP_MODE')).toEqual([
      'LLAMA_ARG_UI',
      'LLAMA_ARG_WEBUI',
    ])

    const down = await house.lb(['down'])
    expect(down.code, down.stderr).toBe(0)
    expect(house.survivors()).toEqual([])
    expect(notes().slice(1)).toEqual([{ signal: 1, open: 0 }])
  })

  it('with a request of somebody else is drained, then ended by the second SIGTERM: the first leaves such requests hanging', async () => {
    house = new House()
    house.write('lb.yaml', topology())
    writeModel()
    house.write('go', '')
    await house.up([], env)
    const { url } = await node()
    const answer = await ask(url, 'hold', { stream: true }, { authorization: `Bearer ${env.NODE_KEY}` })
    const text = answer.text().catch(() => 'cut')
    await until(async () => (await node()).load?.running === 2, 20_000)
    const down = await house.lb(['down'])
    expect(down.code, down.stderr).toBe(0)
    expect(await text).not.toContain('[DONE]')
    expect(house.survivors()).toEqual([])
    expect(notes().slice(1)).toEqual([
      { signal: 1, open: 1 },
      { signal: 2, open: 1 },
    ])
  })

  it('that does not know a flag is explained', async () => {
    house = new House()
    house.write('lb.yaml', topology('', 'extraArgs: [--future-flag, value]'))
    writeModel()
    const up = await house.lb(['up', '--detach'], env)
    expect(up.code).not.toBe(0)
    expect(`${up.stdout}${up.stderr}`).toContain('this build does not know --future-flag')
  })

  it('whose model is not whole is not started at all', async () => {
    house = new House()
    house.write('lb.yaml', topology())
    truncateSync(writeModel(), 20)
    const up = await house.lb(['up', '--detach'], env)
    expect(up.code).not.toBe(0)
    expect(`${up.stdout}${up.stderr}`).toContain('is no GGUF file that can be read: it ends inside its header')
    expect(() => notes()).toThrow('ENOENT')
  })
})

describe("a command line of the user's own", () => {
  it('is started though the model does not lie here, as for a container, with a warning', async () => {
    house = new House()
    const own = `command: ['${process.execPath}', '${standIn}', --host, 127.0.0.1, --port, '$\{PORT}', -m, '$\{MODEL}']`
    house.write(
      'lb.yaml',
      topology()
        .replace(/command: .*/, own)
        .replace(/model: .*/, 'model: /in/a/container.gguf'),
    )
    house.write('go', '')
    const url = await house.up([], env)
    expect((await ask(url, 'hello')).status).toBe(200)
    expect((await node()).warnings).toEqual([expect.stringContaining('/in/a/container.gguf is not there')])
    expect((notes()[0] as Notes).argv.slice(4)).toEqual(['-m', '/in/a/container.gguf'])
  })
})

describe('lb init', () => {
  /** As written, but for the port: other tests may run beside this one. */
  function onAnyPort(): string {
    const text = readFileSync(join(house.cwd, 'lb.yaml'), 'utf8')
    house.write('lb.yaml', `${text}gateway: { listen: 127.0.0.1:0 }\n`)
    return text
  }

  /** A `llama-server` on the PATH, and a model in the working directory. */
  function install(): Readonly<Record<string, string>> {
    const bin = join(house.folder, 'bin')
    mkdirSync(bin)
    const script = `#!/bin/sh\nSTAND_IN_NOTES='${house.cwd}' exec '${process.execPath}' '${standIn}' "$@"\n`
    writeFileSync(join(bin, 'llama-server'), script, { mode: 0o755 })
    return { PATH: `${bin}:${process.env['PATH'] ?? ''}` }
  }

  it('--yes proposes to launch an installed llama-server with the model that lies here, and that works', async () => {
    house = new House()
    const path = install()
    writeModel('story-teller.gguf')
    house.write('go', '')
    const init = await house.lb(['init', '--yes'], path)
    expect(init.code, init.stderr).toBe(0)
    expect(onAnyPort()).toContain('models: ["story-teller"]')
    const url = await house.up([], path)
    expect((await ask(url, 'hello', { model: 'story-teller' })).status).toBe(200)
    expect((notes()[0] as Notes).argv.join(' ')).toMatch(/-m \S+story-teller\.gguf -a story-teller --metrics$/)
  })

  it('--yes proposes to attach a llama-server that runs, and that works', async () => {
    house = new House()
    house.write('go', '')
    const port = await freePort()
    const server = spawn(process.execPath, [standIn, '--host', '127.0.0.1', '--port', String(port), '--metrics'], {
      env: { ...process.env, STAND_IN_NOTES: house.cwd },
      stdio: 'ignore',
    })
    try {
      await until(async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.status === 200, 20_000)
      const init = await house.lb(['init', '--yes'], { LLAMA_ARG_PORT: String(port) })
      expect(init.code, init.stderr).toBe(0)
      expect(onAnyPort()).toContain(`attach: "http://127.0.0.1:${port}"`)
      const url = await house.up()
      expect((await ask(url, 'hello', { model: 'tiny.gguf' })).status).toBe(200)
      expect((await house.lb(['down'])).code).toBe(0)
      expect(server.exitCode).toBeNull()
    } finally {
      server.kill('SIGKILL')
    }
  })
})

describe('lb plan', () => {
  it('shows the exact command line of a llama-server, and no key', async () => {
    house = new House()
    house.write('lb.yaml', topology().replace(/ +command: .*\n/, ''))
    writeModel()
    const plan = await house.lb(['plan'], env)
    expect(plan.code, plan.stderr).toBe(0)
    expect(plan.stdout).toMatch(/llama-server --host 127\.0\.0\.1 --port \d+ -m \S+tiny\.gguf -a qwen --metrics -c 8192 -np 4/)
    expect(plan.stdout).not.toContain(env.NODE_KEY)
  })
})
