/** `lb init --yes` on a machine where a real engine runs or is installed: what it writes works unchanged. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House, until } from '../e2e/house.js'
import { nodeRows } from './llama-nodes.js'
import { namedEngine } from './named-engine.js'
import { createModels, freePort } from './ollama-server.js'
import { makeModel } from './random-models.js'
import { askPlain } from './requests.js'

const llamaServer = namedEngine('LB_TEST_LLAMA_SERVER')
const ollama = namedEngine('LB_TEST_OLLAMA')

let house: House
let engine: ChildProcess | undefined

afterEach(async () => {
  await house.lb(['down', '--force'])
  engine?.kill('SIGKILL')
  engine = undefined
  await house.close()
})

/** `lb init --yes`, `lb up`, one answer; then the nodes. */
async function initAndAsk(
  env: NodeJS.ProcessEnv,
): Promise<{ readonly file: string; readonly nodes: Awaited<ReturnType<typeof nodeRows>> }> {
  const init = await house.lb(['init', '--yes'], env)
  expect(init.code, init.stdout + init.stderr).toBe(0)
  const url = await house.up([], env)
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] }
  expect(await askPlain(url, data[0]?.id ?? '')).toMatchObject({ choices: [{ finish_reason: 'length' }] })
  return { file: readFileSync(join(house.cwd, 'lb.yaml'), 'utf8'), nodes: await nodeRows(house) }
}

/** A PATH on which this program is found by the name that people know. */
function installed(name: string, command: string): string {
  const folder = join(house.folder, 'bin')
  mkdirSync(folder)
  symlinkSync(command, join(folder, name))
  return `${folder}:${process.env['PATH']}`
}

async function started(command: string, args: readonly string[], url: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  engine = spawn(command, args, { env: { ...house.env, ...env }, stdio: 'ignore' })
  await until(
    () =>
      fetch(`${url}/v1/models`).then(
        (answer) => answer.ok,
        () => false,
      ),
    30_000,
  )
}

describe.skipIf(llamaServer === undefined)('lb init --yes beside a real llama-server', () => {
  it('attaches the one that runs', async () => {
    house = new House()
    const port = String(await freePort())
    const model = makeModel('gguf', join(house.folder, 'tiny.gguf'))
    await started(llamaServer ?? '', ['-m', model, '--host', '127.0.0.1', '--port', port, '-t', '1'], `http://127.0.0.1:${port}`)
    const { file, nodes } = await initAndAsk({ LLAMA_ARG_PORT: port })
    expect(file).toMatch(new RegExp(`attach: \\S*127\\.0\\.0\\.1:${port}`))
    expect(nodes[0]).toMatchObject({ state: 'ready', pid: null })
  })

  it('launches the one that is installed, with the model that lies here', async () => {
    house = new House()
    makeModel('gguf', join(house.cwd, 'tiny.gguf'))
    const { file, nodes } = await initAndAsk({ PATH: installed('llama-server', llamaServer ?? '') })
    expect(file).toMatch(/model: .*tiny\.gguf/)
    expect(nodes[0]).toMatchObject({ state: 'ready', pid: expect.any(Number) })
  })
})

describe.skipIf(ollama === undefined)('lb init --yes beside a real Ollama', () => {
  it('attaches the one that runs', async () => {
    house = new House()
    const models = join(house.folder, 'ollama-models')
    const model = makeModel('gguf', join(house.folder, 'tiny.gguf'))
    await createModels(ollama ?? '', models, { env: house.env, models: { tiny: model } })
    const host = `127.0.0.1:${await freePort()}`
    await started(ollama ?? '', ['serve'], `http://${host}`, { OLLAMA_HOST: host, OLLAMA_MODELS: models })
    const { nodes } = await initAndAsk({ OLLAMA_HOST: host })
    expect(nodes[0]).toMatchObject({ state: 'ready', pid: null, url: `http://${host}` })
  })

  it('launches the one that is installed, with the model that it has', async () => {
    house = new House()
    const model = makeModel('gguf', join(house.folder, 'tiny.gguf'))
    await createModels(ollama ?? '', join(house.folder, 'home', '.ollama', 'models'), { env: house.env, models: { tiny: model } })
    const { file, nodes } = await initAndAsk({ PATH: installed('ollama', ollama ?? '') })
    expect(file).toMatch(/engine: ollama/)
    expect(nodes[0]).toMatchObject({ state: 'ready', pid: expect.any(Number) })
  })
})
