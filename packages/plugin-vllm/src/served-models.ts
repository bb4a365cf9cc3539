import { readJson } from './read-json.js'

/** What `/v1/models` says: the model under all its names, and adapters, which are chosen as models. */
export interface ServedModels {
  /** Every name that requests may ask for. */
  readonly names: readonly string[]
  /** Those that are adapters (LoRA): they name their base as parent. */
  readonly adapters: readonly string[]
  /** The smallest context of any. */
  readonly contextTokens: number | undefined
}

/** Undefined for anything that is no model list. */
export function readServedModels(text: string): ServedModels | undefined {
  const data = readJson(text)?.['data']
  if (!Array.isArray(data)) return undefined
  const models = data.flatMap((entry: unknown) => modelOf(entry) ?? [])
  const contexts = models.flatMap(({ contextTokens }) => contextTokens ?? [])
  return {
    names: models.map(({ name }) => name),
    adapters: models.filter(({ isAdapter }) => isAdapter).map(({ name }) => name),
    contextTokens: contexts.length === 0 ? undefined : Math.min(...contexts),
  }
}

interface Model {
  readonly name: string
  readonly isAdapter: boolean
  readonly contextTokens: number | undefined
}

function modelOf(entry: unknown): Model | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined
  const { id, parent, max_model_len: context } = entry as Record<string, unknown>
  if (typeof id !== 'string') return undefined
  return { name: id, isAdapter: typeof parent === 'string', contextTokens: Number.isSafeInteger(context) ? Number(context) : undefined }
}
