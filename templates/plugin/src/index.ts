import type { EnginePlugin } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { detect } from './detect.js'
import { settingsSchema, type Settings } from './settings.js'

/** What Plimsoll asks for by name in package.json: `"plimsoll": { "engines": { "__NAME__": "./dist/index.js" } }`. */
export const plugin: EnginePlugin<Settings> = {
  apiVersion: 1,
  engine: '__NAME__',
  settings: settingsSchema,
  canLaunch: true,
  summary: '__NAME__: launch and attach; says back what it was told',
  detect,
  createBackend,
}
