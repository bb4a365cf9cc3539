/**
 * Owns what is particular about llama.cpp's llama-server. Refuses to start, stop or route anything: core does.
 * Read first: backend.ts.
 */
import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { detect } from './detect.js'
import { settings, type LlamacppSettings } from './settings.js'

export type { LlamacppSettings } from './settings.js'

/** llama.cpp's llama-server: launched or attached, one model or a router. */
export const plugin: EnginePlugin<LlamacppSettings> = {
  apiVersion: 1,
  engine: 'llamacpp',
  settings,
  canLaunch: true,
  takesKey: true,
  defaultAttachUrl: 'http://127.0.0.1:8080',
  summary: 'Launches or attaches llama-server: GGUF files, Hugging Face repositories, router mode; reads its slots, queue and cache.',
  detect: (host) => detect(host),
  createBackend: (spec, host) => createBackend(spec, host),
}
