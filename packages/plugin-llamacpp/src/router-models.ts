import { setTimeout as sleep } from 'node:timers/promises'
import { LbError, type HostResponse, type KeptModel, type ModelKeeper } from '@plimsoll/core/plugin'
import { answersTo, type ListedModel, readModelList } from './model-list.js'
import { readJson } from './read-json.js'
import { readMetrics } from './read-metrics.js'
import { minAskIntervalMs } from './load.js'
import type { Server } from './server.js'

/** The list is read from the router itself; it asks no engine. */
const lookMs = 200

/** What a server has, in memory or not. */
export async function listModels(server: Server, signal: AbortSignal): Promise<readonly KeptModel[]> {
  return (await listOf(server, signal)).map(({ id, status, sizeBytes, contextTokens }) => ({
    name: id,
    loaded: status === undefined || status === 'loaded',
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(contextTokens === undefined ? {} : { contextTokens }),
  }))
}

/** Models of a router. It says yes at once, so its list is watched until the model is there, or gone. */
export function routerModels(server: Server): ModelKeeper {
  return {
    list: (signal) => listModels(server, signal),
    async load(model, signal) {
      const before = await find(server, model, signal)
      if (isUp(before)) return
      // `model is already running` also while it loads.
      await change(server, '/models/load', before.id, signal)
      for (let seenBusy = false; ; await sleep(lookMs, undefined, { signal })) {
        const now = await find(server, model, signal)
        if (isUp(now)) return
        seenBusy ||= now.status !== 'unloaded'
        if (now.status === 'unloaded' && (seenBusy || (now.failed === true && before.failed !== true)))
          throw refused(`${now.id} ended while it was loading`, 'its reason stands in the log of the node')
      }
    },
    async unload(model, signal) {
      const before = await find(server, model, signal)
      if (before.status === 'unloaded') return
      await untilIdle(server, before.id, signal)
      await change(server, '/models/unload', before.id, signal)
      while ((await find(server, model, signal)).status !== 'unloaded') await sleep(lookMs, undefined, { signal })
    },
  }
}

function isUp({ status }: ListedModel): boolean {
  return status === 'loaded' || status === 'sleeping'
}

/** Unloading cuts running streams, with an end that looks whole; so it waits for them. */
async function untilIdle(server: Server, id: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { status, text } = await server.get(`/metrics?model=${encodeURIComponent(id)}&autoload=false`, signal)
    const { running = 0, waiting = 0 } = status === 200 ? readMetrics(text) : {}
    if (running + waiting === 0) return
    await sleep(minAskIntervalMs, undefined, { signal })
  }
}

async function find(server: Server, name: string, signal: AbortSignal): Promise<ListedModel> {
  const list = await listOf(server, signal)
  const model = list.find((each) => answersTo(each, name))
  if (model === undefined) throw refused(`there is no model ${name}`, `it has ${list.map(({ id }) => id).join(', ') || 'none'}`)
  if (model.status === undefined)
    throw refused(
      'this llama-server has one model, loaded at its start',
      'launch it without launch.model, with args.router, to change models while it runs',
    )
  return model
}

async function listOf(server: Server, signal: AbortSignal): Promise<readonly ListedModel[]> {
  const { status, text } = await server.models(signal)
  const list = status === 200 ? readModelList(text) : undefined
  if (list === undefined) throw refused(`the list of models was answered with ${status}`, 'lb status shows how the node is')
  return list
}

async function change(server: Server, path: string, model: string, signal: AbortSignal): Promise<void> {
  const answer = await server.post(path, { model }, signal)
  if (answer.status >= 300 && !/already running|is not running/.test(answer.text))
    throw refused(`${path}: ${said(answer)}`, 'the log of the node may say more')
}

function said({ status, text }: HostResponse): string {
  const error = readJson(text)?.['error']
  const message = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : undefined
  return typeof message === 'string' ? message.slice(0, 300) : `answered ${status}`
}

function refused(message: string, hint: string): LbError {
  return new LbError(message, { code: 'LB_ENGINE_REFUSED', source: 'engine', hint })
}
