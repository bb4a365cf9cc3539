import type { IncomingMessage, ServerResponse } from 'node:http'
import { handleEmbeddings } from './embeddings.js'
import { handleChat, handleCompletion } from './inference.js'
import { parseJsonObject } from './json-fields.js'
import { readBody } from './read-body.js'
import { Refusal } from './refusal.js'
import { handleIsSleeping, handleSleep, handleWake } from './slumber.js'
import type { SimEngine } from './sim-engine.js'

type Handler = (engine: SimEngine, request: IncomingMessage, response: ServerResponse) => Promise<void> | void

/** What the engine reports as its version. */
export const simVersion = '0.1.0'

/** `METHOD path` to handler. */
export const routes: Readonly<Record<string, Handler>> = {
  'POST /v1/chat/completions': handleChat,
  'POST /v1/completions': handleCompletion,
  'POST /v1/embeddings': handleEmbeddings,
  'GET /v1/models': (engine, _request, response) => sendJson(response, 200, modelList(engine)),
  'GET /health': handleHealth,
  'GET /metrics': handleMetrics,
  'GET /version': (_engine, _request, response) => sendJson(response, 200, { version: simVersion }),
  'POST /sleep': handleSleep,
  'POST /wake_up': handleWake,
  'GET /is_sleeping': handleIsSleeping,
  'GET /sim/state': (engine, _request, response) => sendJson(response, 200, stateOf(engine)),
  'GET /sim/faults': (engine, _request, response) => sendJson(response, 200, { fault: engine.faults.current ?? null }),
  'POST /sim/faults': handleFaultChange,
}

function handleHealth(engine: SimEngine, _request: IncomingMessage, response: ServerResponse): void {
  const { loading } = engine
  if (engine.isAsleep) return sendJson(response, 503, { status: 'loading', reason: 'asleep: its weights are not on the GPU' })
  if (loading === undefined) {
    const { models, contextTokens } = engine
    return sendJson(response, 200, { status: 'ok', models, contextTokens, version: simVersion })
  }
  sendJson(response, 503, { status: 'loading', reason: 'loading the simulated model', progress: loading.progress })
}

function modelList(engine: SimEngine): object {
  const created = Math.floor((Date.now() - (performance.now() - engine.startedMs)) / 1000)
  const data = engine.models.map((id) => ({
    id,
    object: 'model',
    created,
    owned_by: 'plimsoll-sim',
    root: id,
    parent: null,
    max_model_len: engine.contextTokens,
  }))
  return { object: 'list', data }
}

function handleMetrics(engine: SimEngine, _request: IncomingMessage, response: ServerResponse): void {
  const { blockTokens, stats } = engine.model
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  response.end(engine.metrics.render({ model: engine.models[0] ?? '', blockTokens, stats }))
}

async function handleFaultChange(engine: SimEngine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Any web page may send a form to a port of this machine; only a page's request carries an Origin.
  if (request.headers.origin !== undefined) throw new Refusal(403, 'faults are not for web pages')
  const { fault } = parseJsonObject(await readBody(request))
  if (typeof fault !== 'string' && fault !== null)
    throw new Refusal(400, 'send {"fault": "slow:4"}, or {"fault": null} to clear', { param: 'fault' })
  engine.faults.set(fault)
  // The answer goes out first: whoever asked for a death should hear that it was heard.
  if (fault === 'die') response.on('finish', () => engine.faults.ending.die())
  sendJson(response, 200, { fault: engine.faults.current ?? null })
}

function stateOf(engine: SimEngine): object {
  const { settings, models, loading, received, model, contextTokens } = engine
  const uptimeMs = Math.round(performance.now() - engine.startedMs)
  return {
    pid: process.pid,
    uptimeMs,
    models,
    contextTokens,
    settings,
    loading: loading ?? null,
    asleep: engine.isAsleep,
    askedWhileAsleep: engine.askedWhileAsleep,
    fault: engine.faults.current ?? null,
    received,
    ...model.stats,
  }
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
