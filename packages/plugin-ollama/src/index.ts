import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { detect } from './detect.js'
import { type OllamaSettings, settings } from './settings.js'

/** Ollama, launched or attached, through its OpenAI-compatible face. */
export const plugin: EnginePlugin<Partial<OllamaSettings>> = {
  apiVersion: 1,
  engine: 'ollama',
  settings,
  canLaunch: true,
  defaultAttachUrl: 'http://127.0.0.1:11434',
  summary: 'Launches Ollama (one process a node), pulls and preloads its models, or attaches one that runs.',
  detect,
  createBackend,
}
