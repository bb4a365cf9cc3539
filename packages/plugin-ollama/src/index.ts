import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { detect } from './detect.js'
import { settings } from './settings.js'

/** Ollama, attached through its OpenAI-compatible face. */
export const plugin: EnginePlugin = {
  apiVersion: 1,
  engine: 'ollama',
  settings,
  canLaunch: false,
  defaultAttachUrl: 'http://127.0.0.1:11434',
  summary: 'Attaches a running Ollama and probes its /api/version and /api/tags. Does not launch Ollama or pull models yet.',
  detect,
  createBackend,
}
