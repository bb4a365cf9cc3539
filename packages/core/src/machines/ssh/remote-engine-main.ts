/**
 * Stands in for an engine on another machine (remote-engine.ts). Started by the runner of its node; its order comes in LB_REMOTE_ENGINE,
 * because every user of a machine can read a command line. SIGTERM ends the engine, SIGINT ends it without asking it first.
 */
import { writeSync } from 'node:fs'
import { RemoteEngine, type RemoteEngineOrder } from './remote-engine.js'

const { LB_REMOTE_ENGINE: order = '', ...env } = process.env
const write = (part: Buffer | string): void => {
  try {
    if (typeof part === 'string') writeSync(1, part)
    else writeSync(1, part)
  } catch {
    // A full disk loses lines, never the engine.
  }
}
const engine = new RemoteEngine(JSON.parse(order) as RemoteEngineOrder, { write, say: (line) => write(`lb: ${line}\n`), env })
process.on('SIGTERM', () => engine.stop({ now: false }))
process.on('SIGINT', () => engine.stop({ now: true }))
process.on('SIGHUP', () => undefined)
process.exitCode = await engine.run()
