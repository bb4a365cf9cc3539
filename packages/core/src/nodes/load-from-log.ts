import type { Backend } from '../contracts/index.js'
import { tailText } from '../machines/index.js'

/** What a launched engine tells of its load in its log only. A plugin that throws here tells nothing. */
export function loadFromLog(endpoint: { readonly backend: Backend; readonly logPath?: string } | undefined): unknown {
  if (endpoint?.logPath === undefined || endpoint.backend.loadFromLog === undefined) return undefined
  try {
    return endpoint.backend.loadFromLog(tailText(endpoint.logPath))
  } catch {
    return undefined
  }
}
