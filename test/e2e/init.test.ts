/** `lb init --yes && lb up --detach && lb ask`, with nothing edited in between, on machines where engines run or are installed. llama-server: llamacpp.test.ts. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { House, repository, until } from './house.js'

const ollamaStandIn = join(repository, 'test/e2e/stand-ins/ollama.ts')
const vllmStandIn = join(repository, 'test/e2e/vllm/stand-in.ts')

let house: House
const servers: ChildProcess[] = []

beforeEach(() => {
  house = new House()
  const bin = join(house.folder, 'bin')
  mkdirSync(bin)
  house.env['PATH'] = `${bin}:${process.env['PATH'] ?? ''}`
  house.env['LB_GPU_FOLDER'] = join(house.folder, 'gpus')
  // Nothing runs where Ollama would, whatever runs on this machine.
  house.env['OLLAMA_HOST'] = '127.0.0.1:9'
})

afterEach(async () => {
  for (const server of servers.splice(0)) server.kill('SIGKILL')
  await house.close()
})

/** A command on PATH that runs a stand-in; `--version` is answered as the real one does. */
function install(name: string, standIn: string, version: string): void {
  const script = `#!/bin/sh\n[ "$1" = --version ] && { echo '${version}'; exit; }\nexec '${process.execPath}' '${standIn}' "$@"\n`
  writeFileSync(join(house.folder, 'bin', name), script, { mode: 0o755 })
}

/** As `ollama pull` leaves it, for `detect`; the stand-in itself reads the list. */
function pulled(...models: readonly string[]): void {
  const folder = join(house.folder, 'home/.ollama/models')
  for (const model of models) {
    const [name = '', tag = 'latest'] = model.split(':')
    const at = join(folder, 'manifests/registry.ollama.ai/library', name)
    mkdirSync(at, { recursive: true })
    const layers = [{ mediaType: 'application/vnd.ollama.image.model', digest: 'sha256:00', size: 1000 }]
    writeFileSync(join(at, tag), JSON.stringify({ schemaVersion: 2, layers }))
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'pulled.json'), JSON.stringify(models))
}

/** As the Hugging Face client leaves it. */
function cached(id: string): void {
  const folder = join(house.folder, 'cache/huggingface/hub', `models--${id.replaceAll('/', '--')}`)
  const snapshot = join(folder, 'snapshots/c0ffee')
  mkdirSync(join(folder, 'refs'), { recursive: true })
  mkdirSync(snapshot, { recursive: true })
  writeFileSync(join(folder, 'refs/main'), 'c0ffee')
  writeFileSync(join(snapshot, 'config.json'), '{"architectures":["Qwen3ForCausalLM"]}')
  writeFileSync(join(snapshot, 'model.safetensors'), 'weights')
}

function gpu(freeMiB: number): void {
  const row = `0, GPU-00000000-aaaa, NVIDIA H100, 00000000:00:00.0, 81559, ${81_559 - freeMiB}, ${freeMiB}, 40, 30, Disabled`
  writeFileSync(join(house.folder, 'bin/nvidia-smi'), `#!/bin/sh\ncase "$1" in --query-gpu=*) echo '${row}' ;; esac\n`, { mode: 0o755 })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function runOllama(): Promise<number> {
  const port = await freePort()
  const env = { ...house.env, OLLAMA_HOST: `127.0.0.1:${port}`, OLLAMA_MODELS: join(house.folder, 'home/.ollama/models') }
  servers.push(spawn(process.execPath, [ollamaStandIn, 'serve'], { env, stdio: 'ignore' }))
  await until(async () => (await fetch(`http://127.0.0.1:${port}/api/version`).catch(() => undefined))?.status === 200, 20_000)
  house.env['OLLAMA_HOST'] = `127.0.0.1:${port}`
  return port
}

const written = (): string => readFileSync(join(house.cwd, 'lb.yaml'), 'utf8')

/** The three commands; only the port of the gateway is another, because the usual one may be taken here. */
async function initUpAsk(): Promise<{ readonly said: string; readonly answer: string }> {
  const init = await house.lb(['init', '--yes'])
  expect(init.code, init.stderr).toBe(0)
  await house.up(['--port', '0'])
  const ask = await house.lb(['ask', 'hello'])
  expect(ask.code, ask.stderr + written() + house.logs()).toBe(0)
  return { said: init.stderr, answer: ask.stdout }
}

describe('lb init --yes, then lb up, then lb ask', () => {
  it('attach an Ollama that runs; its models that chat come first', async () => {
    pulled('llama3.2:latest', 'all-minilm:latest')
    const port = await runOllama()
    const { answer } = await initUpAsk()
    expect(answer.trim()).not.toBe('')
    expect(written()).toContain(`attach: "http://127.0.0.1:${port}"`)
    expect(written()).toContain('models: ["llama3.2:latest", "all-minilm:latest"]')
    expect((await house.lb(['down'])).code).toBe(0)
    expect(servers[0]?.exitCode).toBeNull()
  })

  it('launch an Ollama that is installed, with what was pulled', async () => {
    install('ollama', ollamaStandIn, 'ollama version is 0.33.0')
    pulled('llama3.2:latest')
    const { answer } = await initUpAsk()
    expect(answer.trim()).not.toBe('')
    expect(written()).toMatch(/models: \["llama3\.2:latest"\].*engine: ollama\n +launch: /s)
  })

  it('launch a vLLM that is installed, with the model in the cache, on the GPU that is free', async () => {
    install('vllm', vllmStandIn, '0.21.0')
    cached('org/tiny-chat')
    gpu(81_000)
    const { answer } = await initUpAsk()
    expect(answer).toContain('word')
    expect(written()).toContain('launch: { model: "org/tiny-chat", gpus: { perReplica: 1 } }')
  })

  it('launch a vLLM without choosing a GPU where none is large enough', async () => {
    install('vllm', vllmStandIn, '0.21.0')
    cached('org/tiny-chat')
    gpu(100)
    const init = await house.lb(['init', '--yes'])
    expect(init.code, init.stderr).toBe(0)
    expect(written()).toContain('launch: { model: "org/tiny-chat" }')
  })

  it('prefer what runs, and name the rest', async () => {
    pulled('llama3.2:latest')
    const port = await runOllama()
    install('vllm', vllmStandIn, '0.21.0')
    cached('org/tiny-chat')
    const { said } = await initUpAsk()
    expect(written()).toContain(`attach: "http://127.0.0.1:${port}"`)
    expect(said).toMatch(/Also here: vllm, launched: .*org\/tiny-chat/)
  })

  it('fall back to the simulated engine where Ollama runs with no model, and say so', async () => {
    pulled()
    await runOllama()
    const { said, answer } = await initUpAsk()
    expect(written()).toContain('engine: sim')
    expect(said).toMatch(/Not proposed: ollama: .*0 models/)
    expect(answer).toMatch(/simulated/i)
  })
})
