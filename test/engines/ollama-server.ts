/** A real Ollama for tests: models made offline from a GGUF file, and the child process that does the work. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { until } from '../e2e/house.js'
import { busySlots } from './llama-nodes.js'
import { childrenOf, commandLine } from './processes.js'

export interface LoadedModel {
  readonly name: string
  readonly expires_at: string
}

/** Runs an Ollama on `folder` for as long as it takes to make these models in it. */
export async function createModels(
  command: string,
  folder: string,
  options: { readonly env: NodeJS.ProcessEnv; readonly models: Readonly<Record<string, string>> },
): Promise<void> {
  const url = `http://127.0.0.1:${await freePort()}`
  const env = { ...options.env, OLLAMA_HOST: url.slice(7), OLLAMA_MODELS: folder, OLLAMA_NOPRUNE: '1' }
  const server = spawn(command, ['serve'], { env, stdio: 'ignore' })
  try {
    await until(
      () =>
        fetch(url).then(
          (answer) => answer.ok,
          () => false,
        ),
      30_000,
    )
    for (const [name, file] of Object.entries(options.models)) await createModel(url, name, file)
  } finally {
    server.kill('SIGTERM')
    await new Promise((resolve) => server.once('close', resolve))
  }
}

async function createModel(url: string, name: string, file: string): Promise<void> {
  const bytes = readFileSync(file)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  await expectOk(fetch(`${url}/api/blobs/${digest}`, { method: 'POST', body: bytes }))
  const said = await expectOk(
    fetch(`${url}/api/create`, { method: 'POST', body: JSON.stringify({ model: name, files: { 'model.gguf': digest } }) }),
  )
  if (!said.includes('"success"')) throw new Error(`ollama create ${name}: ${said}`)
}

async function expectOk(answering: Promise<Response>): Promise<string> {
  const answer = await answering
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${text}`)
  return text
}

/** What it has in memory. */
export async function loadedModels(url: string): Promise<readonly LoadedModel[]> {
  return ((await (await fetch(`${url}/api/ps`)).json()) as { models: LoadedModel[] }).models
}

/** Requests that its llama-servers work on, by their own slots; Ollama itself tells nobody. */
export async function busySlotsOf(pid: number | null): Promise<number> {
  const ports = childrenOf(pid).map((child) => {
    const words = commandLine(child)
    return words[words.indexOf('--port') + 1]
  })
  const counts = await Promise.all(ports.map((port) => busySlots(`http://127.0.0.1:${port}`)))
  return counts.reduce((sum, count) => sum + count, 0)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
