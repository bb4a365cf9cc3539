import type { Dialect } from '../contracts/index.js'

/** How one base URL of an OpenAI-compatible server is to be read. */
export interface OpenAiBase {
  /** The URL before its API version: where an engine's own paths (`/health`) start. */
  readonly root: string
  /** Path of the model list, relative to the URL as it was given. */
  readonly modelsPath: string
  /** Paths of the faces, relative to the URL as it was given. */
  readonly paths: Dialect['paths']
}

const versionSegment = /\/v\d+[a-z\d]*(?=\/|$)/

/**
 * People paste both forms: the server (`http://host:8000`) and the SDKs' `baseURL` (`https://api.openai.com/v1`). A path with a
 * version segment (`/v1`, `/api/paas/v4`, `/v1beta/openai`) is taken as the second form and nothing is added; else `/v1` is.
 */
export function openaiBase(url: string): OpenAiBase {
  const authorityEnd = url.indexOf('/', url.indexOf('://') + 3)
  const path = authorityEnd === -1 ? '' : url.slice(authorityEnd)
  const version = versionSegment.exec(path)
  const prefix = version === null ? '/v1' : ''
  return {
    root: version === null ? url : url.slice(0, authorityEnd + version.index),
    modelsPath: `${prefix}/models`,
    paths: {
      'openai-chat': `${prefix}/chat/completions`,
      'openai-completions': `${prefix}/completions`,
      'openai-embeddings': `${prefix}/embeddings`,
      'openai-transcriptions': `${prefix}/audio/transcriptions`,
    },
  }
}
