import { readJson } from './read-json.js'

/** One row of `/v1/models`. */
export interface ListedModel {
  readonly id: string
  readonly aliases: readonly string[]
  /** Only a router says it: `unloaded`, `loading`, `loaded`, `sleeping`, `downloading`. */
  readonly status?: string
  /** A router's child that ended by itself. */
  readonly failed?: boolean
  /** Known while it is in memory: its tensors, and the context of one slot. */
  readonly sizeBytes?: number
  readonly contextTokens?: number
}

/** The list of a llama-server or a router; undefined where the text is none. Rows that make no sense are left out. */
export function readModelList(text: string): readonly ListedModel[] | undefined {
  const data = readJson(text)?.['data']
  return Array.isArray(data) ? data.flatMap(listedModel) : undefined
}

export function namesOf(list: readonly ListedModel[]): readonly string[] {
  return [...new Set(list.flatMap(({ id, aliases }) => [id, ...aliases]))]
}

export function answersTo(model: ListedModel, name: string): boolean {
  return model.id === name || model.aliases.includes(name)
}

function listedModel(row: unknown): readonly ListedModel[] {
  if (typeof row !== 'object' || row === null) return []
  const { id, aliases, status, meta } = row as Readonly<Record<string, unknown>>
  if (typeof id !== 'string') return []
  const { value, failed } = fieldsOf(status)
  const { size, n_ctx: context } = fieldsOf(meta)
  return [
    {
      id,
      aliases: Array.isArray(aliases) ? aliases.filter((alias) => typeof alias === 'string') : [],
      ...(typeof value === 'string' ? { status: value } : {}),
      ...(failed === true ? { failed } : {}),
      ...(isCount(size) ? { sizeBytes: size } : {}),
      ...(isCount(context) ? { contextTokens: context } : {}),
    },
  ]
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}
