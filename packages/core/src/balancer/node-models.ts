import type { Backend, LoadFacts } from '../contracts/index.js'
import type { NodeModels, ServedModel } from '../control/index.js'
import { messageOf } from '../errors/index.js'
import type { Node } from '../nodes/index.js'

/** What is known of a node before its engine is asked. */
export type AskedNode = Omit<NodeModels, 'models' | 'adapters' | 'error'>

const ANSWER_WITHIN_MS = 5_000

/** What all these nodes serve, asked at once. */
export function readModelsOf(nodes: readonly Node[]): Promise<readonly NodeModels[]> {
  return Promise.all(
    nodes.map(({ id, state, endpoint, plan: { pool, group } }) => {
      const known = { pool: pool.name, node: id, engine: group.engine, state, asked: pool.models }
      return readNodeModels(known, state === 'stopped' || state === 'asleep' ? undefined : endpoint?.backend)
    }),
  )
}

/** Asks an engine what it serves. Never throws: why nothing is known is part of the answer. */
export async function readNodeModels(node: AskedNode, backend: Backend | undefined): Promise<NodeModels> {
  if (backend === undefined) return { ...node, models: [], adapters: [], error: 'it does not run' }
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
  const facts = await backend.load?.(signal).catch(() => undefined)
  try {
    return { ...node, models: await modelsOf(backend, facts ?? {}, signal), adapters: facts?.adapters ?? [], error: null }
  } catch (error) {
    const why = signal.aborted ? `no answer within ${ANSWER_WITHIN_MS / 1000} s` : messageOf(error)
    return { ...node, models: [], adapters: [], error: why }
  }
}

/** From the engine's own list, else from what a probe sees: such an engine has in memory what it names. */
async function modelsOf(backend: Backend, facts: LoadFacts, signal: AbortSignal): Promise<readonly ServedModel[]> {
  if (backend.models?.list !== undefined) return backend.models.list(signal)
  const report = await backend.probe(signal)
  if (report.verdict !== 'ready') throw new Error(report.reason)
  const { contextTokens, adapters = [], loadedModels } = facts
  return (report.models ?? [])
    .filter((name) => !adapters.includes(name))
    .map((name) => ({
      name,
      loaded: facts.asleep !== true && (loadedModels === undefined || loadedModels.includes(name)),
      ...(contextTokens === undefined ? {} : { contextTokens }),
    }))
}
