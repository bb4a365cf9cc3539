import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { silentLogger, type Backend, type Diagnosis } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import { describeEnd, explainEnd, explainError, RefusedLaunch } from './explain-end.js'
import type { Life } from './life.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-ends-'))
const logPath = join(folder, 'a.log')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const dialect: Backend['dialect'] = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' }
const FAILED = { code: 1, signal: null }

function backendThat(diagnose?: (logTail: string) => Diagnosis | undefined): Backend {
  return {
    probe: () => Promise.resolve({ verdict: 'ready' }),
    minProbeIntervalMs: 1,
    dialect,
    ...(diagnose === undefined ? {} : { diagnose }),
  }
}

/** A life whose part of the log is `own`, after what an earlier one wrote. */
function lifeOf(own: string, { earlier = '', oomKills = undefined as number | undefined } = {}): Life {
  writeFileSync(logPath, earlier + own)
  const record = { hash: '', port: 1, extraPorts: [], startedAtMs: 0, logFrom: Buffer.byteLength(earlier) }
  return {
    process: { identity: { pid: 999_999_999, startTime: '1', bootId: 'b' }, exited: new Promise(() => undefined) },
    ports: [],
    slot: { host: '127.0.0.1', port: 1, replica: 0, extraPorts: [] },
    mark: 'm',
    logPath,
    record,
    startedAtMs: 0,
    oomKills,
  }
}

describe('why an engine ended', () => {
  it('is what its plugin says first, then what is known of programs, else its last line', () => {
    const gated = { kind: 'model-gated', message: 'gated\u001b[31m!', hint: 'ask for it' } as const
    expect(
      explainEnd(
        lifeOf('EADDRINUSE\n'),
        FAILED,
        backendThat(() => gated),
        silentLogger,
      ),
    ).toEqual({
      reason: 'exited with code 1: gated!; ask for it',
      kind: 'model-gated',
    })
    expect(
      explainEnd(
        lifeOf('EADDRINUSE\n'),
        FAILED,
        backendThat(() => undefined),
        silentLogger,
      ).kind,
    ).toBe('port-taken')
    expect(explainEnd(lifeOf('so long\n'), FAILED, backendThat(), silentLogger)).toEqual({ reason: 'exited with code 1: so long' })
  })

  it('is told all the same where the plugin throws', () => {
    const broken = backendThat(() => {
      throw new Error('broken')
    })
    expect(explainEnd(lifeOf('No space left on device\n'), FAILED, broken, silentLogger).kind).toBe('no-space')
  })

  it('is not what an earlier life had said', () => {
    const life = lifeOf('bye\n', { earlier: 'CUDA out of memory\n' })
    expect(explainEnd(life, FAILED, backendThat(), silentLogger)).toEqual({ reason: 'exited with code 1: bye' })
    expect(explainEnd(lifeOf('', { earlier: 'CUDA out of memory\n' }), FAILED, backendThat(), silentLogger)).toEqual({
      reason: 'exited with code 1',
    })
  })

  it('is not what it had logged where somebody killed it', () => {
    const killed = { code: null, signal: 'SIGKILL' }
    expect(explainEnd(lifeOf('EADDRINUSE\n'), killed, backendThat(), silentLogger)).toEqual({ reason: 'ended by SIGKILL: EADDRINUSE' })
  })

  it.runIf(process.platform === 'linux')('is the kernel where its counter of kills for lack of memory has risen', () => {
    const killed = { code: null, signal: 'SIGKILL' }
    expect(explainEnd(lifeOf('', { oomKills: -1 }), killed, backendThat(), silentLogger)).toMatchObject({ kind: 'out-of-memory' })
    expect(explainEnd(lifeOf('', { oomKills: -1 }), FAILED, backendThat(), silentLogger).kind).toBeUndefined()
  })

  it('can be unknown for one that was taken over', () => {
    expect(describeEnd({ code: null, signal: null })).toMatch(/^ended; how is unknown/)
  })
})

describe('why an engine could not be started', () => {
  it('has its hint, and says whether trying again could help', () => {
    const cannot = new LbError('`x` cannot be started', { code: 'LB_CANNOT_LAUNCH', source: 'operator', hint: 'install it' })
    expect(explainError(cannot)).toEqual({ reason: '`x` cannot be started; install it', kind: 'bad-settings' })
    const full = new LbError('no free port', { code: 'LB_NO_FREE_PORT', source: 'operator' })
    expect(explainError(full)).toEqual({ reason: 'no free port' })
    const refused = new RefusedLaunch({ kind: 'no-space', message: 'the disk is full', hint: 'make room' })
    expect(explainError(refused)).toEqual({ reason: 'not launched: the disk is full; make room', kind: 'no-space' })
    expect(explainError(new Error('odd'))).toEqual({ reason: 'odd' })
  })
})
