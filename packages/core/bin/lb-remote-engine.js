#!/usr/bin/env node
/**
 * Stands in for an engine on another machine (machines/ssh/remote-engine.ts). Started by the runner of its node; its order comes in
 * LB_REMOTE_ENGINE, because every user of a machine can read a command line. SIGTERM ends the engine, SIGINT ends it without asking it first.
 */
import { writeSync } from 'node:fs'
import { RemoteEngine } from '../dist/bundle/remote-engine.js'

const { LB_REMOTE_ENGINE: order = '', ...env } = process.env
/** @param {Buffer} part */
const write = (part) => {
  try {
    writeSync(1, part)
  } catch {
    // A full disk loses lines, never the engine.
  }
}
const engine = new RemoteEngine(JSON.parse(order), { write, say: (line) => write(Buffer.from(`lb: ${line}\n`)), env })
process.on('SIGTERM', () => engine.stop({ now: false }))
process.on('SIGINT', () => engine.stop({ now: true }))
process.on('SIGHUP', () => undefined)
process.exitCode = await engine.run()
