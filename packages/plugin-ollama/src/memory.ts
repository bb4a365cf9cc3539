import { setTimeout as sleep } from 'node:timers/promises'
import { LbError, messageOf, type HostResponse } from '@plimsoll/core/plugin'
import { diagnose } from './diagnose.js'
import { isSameModel } from './model-names.js'
import { readJson } from './read-json.js'
import { loadedAt, type Server } from './server-facts.js'
import { keepAliveOf } from './settings.js'

const LOOK_EVERY_MS = 200

/**
 * Brings a model into memory and waits for it, as long as it takes: a load belongs to the request that started it, and ends with it. No options are sent:
 * any that differ from those of later requests would make the server load the model again.
 */
export async function load(server: Server, model: string, options: { signal: AbortSignal; keepAlive?: string | number }): Promise<void> {
  const { signal, keepAlive } = options
  const answer = await generate(server, { model, ...(keepAlive === undefined ? {} : { keep_alive: keepAliveOf(keepAlive) }) }, signal)
  if (answer.status === 200 && readJson(answer.text)?.['done'] === true) return
  throw memoryFailed(`${model} cannot be loaded: ${saidIn(answer)}`, answer)
}

/** Has a model leave memory. The server agrees at once, but running requests end first; resolves when it is really gone. */
export async function unload(server: Server, model: string, signal: AbortSignal): Promise<void> {
  const answer = await generate(server, { model, keep_alive: 0 }, signal)
  if (answer.status !== 200) throw memoryFailed(`${model} cannot be unloaded: ${saidIn(answer)}`, answer)
  while (await isLoaded(server, model, signal)) await sleep(LOOK_EVERY_MS, undefined, { signal })
}

/** Asks for nothing to be kept, without waiting for it. */
export async function askToUnload(server: Server, model: string, signal: AbortSignal): Promise<void> {
  await generate(server, { model, keep_alive: 0 }, signal)
}

async function isLoaded(server: Server, model: string, signal: AbortSignal): Promise<boolean> {
  const loaded = await loadedAt(server, signal)
  return loaded?.some(({ name }) => isSameModel(name, model)) === true
}

/** Without a prompt nothing is generated; the answer is one JSON object. */
function generate({ root, host, headers }: Server, body: object, signal: AbortSignal): Promise<HostResponse> {
  return host.send('POST', `${root}/api/generate`, { signal, headers, body: { ...body, stream: false } })
}

function saidIn({ status, text }: HostResponse): string {
  const said = readJson(text)?.['error']
  return typeof said === 'string' && said !== '' ? said : `the server answered ${status}`
}

function memoryFailed(message: string, { text }: HostResponse): LbError {
  const hint = diagnose(text)?.hint ?? 'the log of the Ollama server says more'
  return new LbError(message, { code: 'LB_MODEL_NOT_LOADED', source: 'engine', hint })
}

/** For reasons of a node: what went wrong and what to do, in one line. */
export function reasonOf(error: unknown): string {
  const hint = error instanceof LbError ? error.hint : undefined
  return hint === undefined ? messageOf(error) : `${messageOf(error)}; ${hint}`
}
