import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createSimBackend } from './backend.js'
import { simSettingsSchema, type SimSettings } from './settings.js'

export type { SimSettings } from './settings.js'

/** The engine `sim`: real processes on real sockets that pretend to be a model on a GPU. Also the smallest plugin to read. */
export const plugin: EnginePlugin<SimSettings> = {
  apiVersion: 1,
  engine: 'sim',
  settings: simSettingsSchema,
  canLaunch: true,
  summary: 'simulated engine: launch and attach, five profiles, faults on demand; needs no GPU and no model',
  detect: () => Promise.resolve({ found: true, detail: 'comes with Plimsoll' }),
  createBackend: createSimBackend,
}
