import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Backend } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { loadFromLog } from './load-from-log.js'

const backendOf = (read?: Backend['loadFromLog']): Backend => ({
  probe: () => Promise.resolve({ verdict: 'ready' }),
  minProbeIntervalMs: 1_000,
  dialect: openaiDialect(),
  ...(read === undefined ? {} : { loadFromLog: read }),
})

let folder: string
let logPath: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-log-'))
  logPath = join(folder, 'n.log')
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('load that stands in the log only', () => {
  it('is read by the plugin from the end of it', () => {
    writeFileSync(logPath, `${'x\n'.repeat(100_000)}imbalance 1.5\n`)
    const seen: string[] = []
    const backend = backendOf((tail) => {
      seen.push(tail)
      return { expertImbalance: Number(/imbalance ([\d.]+)/.exec(tail)?.[1]) }
    })
    expect(loadFromLog({ backend, logPath })).toEqual({ expertImbalance: 1.5 })
    expect(seen[0]?.length).toBeLessThanOrEqual(65_536)
  })

  it('is nothing where there is no log, nobody who reads it, or one who throws', () => {
    const throws = backendOf(() => {
      throw new Error('odd line')
    })
    expect(loadFromLog(undefined)).toBeUndefined()
    expect(loadFromLog({ backend: throws })).toBeUndefined()
    expect(loadFromLog({ backend: backendOf(), logPath })).toBeUndefined()
    expect(loadFromLog({ backend: throws, logPath })).toBeUndefined()
    expect(loadFromLog({ backend: backendOf((tail) => ({ running: tail.length })), logPath: join(folder, 'none') })).toEqual({ running: 0 })
  })
})
