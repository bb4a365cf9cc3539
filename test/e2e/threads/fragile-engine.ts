/** An engine plugin whose dialect kills the data thread that reads an answer with status 599, and that tells the engine which thread asks. */
import { threadId } from 'node:worker_threads'
import { openaiDialect, type EnginePlugin } from '@plimsoll/core/plugin'

const DEADLY = 599

export const plugin: EnginePlugin = {
  apiVersion: 1,
  engine: 'fragile',
  settings: { type: 'object' },
  canLaunch: false,
  summary: 'an engine of the tests',
  createBackend: () => ({
    minProbeIntervalMs: 100,
    probe: () => Promise.resolve({ verdict: 'ready' }),
    dialect: openaiDialect({
      headers: { set: { 'x-thread': String(threadId) } },
      classify(status) {
        if (status !== DEADLY) return 'ok'
        setTimeout(() => {
          throw new Error('thread dies')
        })
        return 'client'
      },
    }),
  }),
}
