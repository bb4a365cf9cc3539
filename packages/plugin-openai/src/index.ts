import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { settings } from './settings.js'

/** Any server that speaks the OpenAI API: a hosted one, or an engine that has no plugin of its own. Attach only. */
export const plugin: EnginePlugin = {
  apiVersion: 1,
  engine: 'openai',
  settings,
  canLaunch: false,
  summary: 'Attaches any OpenAI-compatible URL; its /v1/models is the probe. Launches nothing: such servers run elsewhere.',
  createBackend,
}
