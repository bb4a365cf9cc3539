import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { settings } from './settings.js'

/** Any server that speaks the OpenAI API: a hosted one, or an engine that has no plugin of its own. */
export const plugin: EnginePlugin = {
  apiVersion: 1,
  engine: 'openai',
  settings,
  canLaunch: true,
  needsCommand: true,
  takesKey: true,
  summary: 'Attaches any OpenAI-compatible URL, or launches one by launch.command; /v1/models is the probe, or launch.ready.',
  createBackend,
}
