import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { detect } from './detect.js'
import { settings, type VllmSettings } from './settings.js'

/** vLLM's OpenAI server, launched or attached. */
export const plugin: EnginePlugin<VllmSettings> = {
  apiVersion: 1,
  engine: 'vllm',
  settings,
  canLaunch: true,
  // No takesKey: its key guards /v1 and leaves /invocations, which generates too, open to everyone.
  defaultAttachUrl: 'http://127.0.0.1:8000',
  summary: 'launch and attach, load from /metrics, loading steps and reasons from the log, LoRA, sleep, KV-cache events',
  detect,
  createBackend,
}
