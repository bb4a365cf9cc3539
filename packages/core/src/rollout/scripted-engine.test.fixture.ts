import { silentLogger, type EnginePlugin, type ModelKeeper, type PluginHost } from '../contracts/index.js'

export const notInTests = (): never => {
  throw new Error('not in tests')
}
export const host: PluginHost = { log: silentLogger, get: notInTests, send: notInTests, lines: notInTests, run: notInTests }

/** What servers that keep their models were asked for. */
export const asked: string[] = []

const keeper: ModelKeeper = {
  pull: (model, { onProgress }) => {
    onProgress({ step: 'weights', doneBytes: 5e8, totalBytes: 1e9 })
    asked.push(`pull ${model}`)
    return Promise.resolve({})
  },
  load: (model) => Promise.resolve(void asked.push(`load ${model}`)),
  unload: (model) => Promise.resolve(void asked.push(`unload ${model}`)),
}

export const engine: EnginePlugin = {
  apiVersion: 1,
  engine: 'script',
  settings: {},
  canLaunch: true,
  summary: 'for tests',
  createBackend: ({ weights = '', model }) => ({
    ...(model === undefined ? {} : { models: keeper }),
    launchPlan: () => ({ command: process.execPath, args: ['--model', weights], env: {}, readyWithinMs: 60_000 }),
    probe: notInTests,
    minProbeIntervalMs: 10,
    dialect: { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' },
  }),
}
