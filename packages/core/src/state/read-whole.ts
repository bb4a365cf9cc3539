import { existsSync, renameSync } from 'node:fs'
import { readJson } from './durable-file.js'

export interface WholeFile<Value> {
  /** Undefined: there is none, or none that can be read. */
  readonly value: Value | undefined
  /** Where a file that cannot be read was put. */
  readonly putAside?: string
}

/** Parsed JSON that `isWhole` takes. What is torn or foreign is put aside, never written over: somebody may still want it. */
export function readWhole<Value>(path: string, isWhole: (value: unknown) => value is Value): WholeFile<Value> {
  if (!existsSync(path)) return { value: undefined }
  const value = readJson(path)
  if (isWhole(value)) return { value }
  const putAside = `${path}.unreadable`
  try {
    renameSync(path, putAside)
  } catch {
    // It will be written over: there is nothing else to do with it.
  }
  return { value: undefined, putAside }
}
