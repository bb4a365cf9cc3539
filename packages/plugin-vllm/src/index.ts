import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { detect } from './detect.js'
import { settings } from './settings.js'

/** vLLM's OpenAI server, attached. */
export const plugin: EnginePlugin = {
  apiVersion: 1,
  engine: 'vllm',
  settings,
  canLaunch: false,
  defaultAttachUrl: 'http://127.0.0.1:8000',
  summary: 'Attaches a running vLLM server and probes its /health, /v1/models and /version. Does not launch vLLM yet.',
  detect,
  createBackend,
}
