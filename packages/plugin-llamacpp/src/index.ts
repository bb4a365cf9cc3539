import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { detect } from './detect.js'
import { settings } from './settings.js'

/** llama.cpp's llama-server, attached. */
export const plugin: EnginePlugin = {
  apiVersion: 1,
  engine: 'llamacpp',
  settings,
  canLaunch: false,
  defaultAttachUrl: 'http://127.0.0.1:8080',
  summary: 'Attaches a running llama-server and probes its /health and /v1/models. Does not launch llama-server yet.',
  detect,
  createBackend,
}
