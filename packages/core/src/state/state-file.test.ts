import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readState, removeState, writeState, type StateFile } from './state-file.js'
import { listTopologies, statePaths } from './state-paths.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-state-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const identity = { pid: 7, startTime: '1', bootId: 'b' }
const state: StateFile = {
  v: 1,
  name: 'demo',
  startedAtMs: 1,
  balancer: identity,
  listen: ['http://127.0.0.1:8484'],
  nodes: [{ id: 'demo/sim', engine: 'sim', url: 'http://127.0.0.1:18400', mark: 'demo/demo/sim/ab', process: identity }],
}

describe('the state file', () => {
  it('comes back as it was written, is private, and leaves no draft', () => {
    const path = join(folder, 'demo', 'state.json')
    writeState(path, state)
    expect(readState(path)).toEqual(state)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'demo'))).toEqual(['state.json'])
    removeState(path)
    removeState(path)
    expect(readState(path)).toBeUndefined()
  })

  it('counts as none when it is cut anywhere, of another version or of another shape', () => {
    const path = join(folder, 'demo', 'state.json')
    writeState(path, state)
    const text = JSON.stringify(state)
    for (let length = 0; length < text.length; length += 7) {
      writeFileSync(path, text.slice(0, length))
      expect(readState(path)).toBeUndefined()
    }
    for (const other of [
      null,
      3,
      [],
      { ...state, v: 2 },
      { ...state, nodes: {} },
      { ...state, nodes: [null] },
      { ...state, balancer: null },
    ]) {
      writeFileSync(path, JSON.stringify(other))
      expect(readState(path)).toBeUndefined()
    }
  })
})

describe('paths', () => {
  it('follow the XDG folders, and ignore relative ones', () => {
    const env = { HOME: '/somewhere/u', XDG_RUNTIME_DIR: tmpdir(), XDG_STATE_HOME: '/var/s' }
    expect(statePaths('demo', env)).toMatchObject({
      socketPath: join(tmpdir(), 'plimsoll/demo/control.sock'),
      stateFile: '/var/s/plimsoll/demo/state.json',
      logDir: '/var/s/plimsoll/demo/logs',
    })
    const relative = statePaths('demo', { HOME: '/somewhere/u', XDG_RUNTIME_DIR: 'run', XDG_STATE_HOME: 'state' })
    expect(relative.stateDir).toBe('/somewhere/u/.local/state/plimsoll/demo')
    expect(relative.runtimeDir).toMatch(/\/plimsoll-\d+\/demo$/)
    expect(statSync(join(relative.runtimeDir, '..')).mode & 0o077).toBe(0)
  })

  it('keep the socket short enough for every system, one for each topology', () => {
    const sockets = ['a', 'b'].map(
      (end) => statePaths(`${'long'.repeat(30)}${end}`, { HOME: '/somewhere/u', XDG_RUNTIME_DIR: tmpdir() }).socketPath,
    )
    for (const path of sockets) expect(Buffer.byteLength(path)).toBeLessThanOrEqual(100)
    expect(new Set(sockets).size).toBe(2)
  })

  it('list what has left a state file', () => {
    const env = { HOME: '/nowhere', XDG_STATE_HOME: folder }
    expect(listTopologies(env)).toEqual([])
    for (const name of ['b', 'a']) writeState(statePaths(name, env).stateFile, { ...state, name })
    expect(listTopologies(env).sort()).toEqual(['a', 'b'])
  })
})
