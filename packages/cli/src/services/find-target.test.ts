import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isLbError, ownIdentity, processIdentity, statePaths, writeState, type StateFile } from '@plimsoll/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { explainSilence, leftoverNotice } from './explain-silence.js'
import { findTarget, nearestFile, targetOf } from './find-target.js'

let folder: string
let env: NodeJS.ProcessEnv

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-target-'))
  for (const name of ['run', 'state', 'a/b', 'c']) mkdirSync(join(folder, name), { recursive: true })
  env = { HOME: folder, XDG_STATE_HOME: join(folder, 'state'), XDG_RUNTIME_DIR: join(folder, 'run') }
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const gone = { pid: 999_999_999, startTime: '1', bootId: 'x' }

function remember(name: string, more: Partial<StateFile> = {}): void {
  writeState(statePaths(name, env).stateFile, { v: 1, name, startedAtMs: 0, balancer: gone, listen: [], nodes: [], ...more })
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (error) {
    return isLbError(error) ? error.code : String(error)
  }
}

describe('which topology a command means', () => {
  it('is the one whose file stands here or above, however many run', () => {
    const file = join(folder, 'a/lb.yaml')
    writeFileSync(file, '')
    remember('one', { file })
    remember('two')
    expect(findTarget({ cwd: join(folder, 'a/b'), env }).name).toBe('one')
  })

  it('is never another one while the file here is not running', () => {
    writeFileSync(join(folder, 'c/lb.yaml'), '')
    remember('two')
    expect(codeOf(() => findTarget({ cwd: join(folder, 'c'), env }))).toBe('LB_NOT_RUNNING')
  })

  it('is the only one where there is no file, and asked for where there are several', () => {
    expect(codeOf(() => findTarget({ cwd: folder, env }))).toBe('LB_NOT_RUNNING')
    remember('two')
    expect(findTarget({ cwd: folder, env }).name).toBe('two')
    remember('three')
    expect(codeOf(() => findTarget({ cwd: folder, env }))).toBe('LB_SEVERAL_RUNNING')
    expect(findTarget({ cwd: folder, name: 'three', env }).name).toBe('three')
  })

  it('cannot be a path in disguise', () => {
    expect(codeOf(() => findTarget({ cwd: folder, name: '../x', env }))).toBe('LB_WRONG_INPUT')
  })

  it('stops looking at the folder of a package', () => {
    writeFileSync(join(folder, 'lb.yaml'), '')
    writeFileSync(join(folder, 'a/package.json'), '{}')
    expect(nearestFile(join(folder, 'a/b'))).toBeUndefined()
    expect(nearestFile(join(folder, 'c'))).toBe(join(folder, 'lb.yaml'))
  })
})

describe('why nobody answers', () => {
  it('is told apart: never ran, killed, hanging', async () => {
    expect((await explainSilence(targetOf('none', env))).message).toBe('none is not running')
    remember('dead')
    const dead = await explainSilence(targetOf('dead', env))
    expect(dead.message).toMatch(/process 999999999\) was killed; nothing of it runs any more/)
    remember('hung', { balancer: await ownIdentity() })
    expect(await explainSilence(targetOf('hung', env))).toMatchObject({ code: 'LB_NO_ANSWER', retry: 'after-wait' })
  })

  it('is told of one that was stopped while a command waited for it', async () => {
    remember('stopped')
    const target = targetOf('stopped', env)
    rmSync(target.paths.stateFile)
    expect(await explainSilence(target)).toMatchObject({ message: 'stopped was stopped meanwhile', retry: 'never' })
  })

  it('names the engines that a killed balancer left', async () => {
    const mark = 'dead/a/b/x'
    const engine = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env: { LB_NODE: mark }, stdio: 'ignore' })
    const identity = await processIdentity(engine.pid ?? 0)
    if (identity === undefined) throw new Error('it did not start')
    try {
      // This process is no engine of anybody, whatever a state file says.
      const forged = { id: 'a/c', engine: 'sim', url: 'http://x', mark: 'dead/a/c/x', process: await ownIdentity() }
      remember('dead', { nodes: [{ id: 'a/b', engine: 'sim', url: 'http://x', mark, process: identity }, forged] })
      expect((await explainSilence(targetOf('dead', env))).message).toMatch(/1 of its engines still run: a\/b/)
      expect(await leftoverNotice(targetOf('dead', env), 'adopt')).toMatch(/taken over where they fit the topology: a\/b/)
      expect(await leftoverNotice(targetOf('dead', env), 'reap')).toMatch(/stopped first: a\/b/)
      expect(await leftoverNotice(targetOf('none', env), 'adopt')).toBeUndefined()
    } finally {
      engine.kill('SIGKILL')
    }
  })
})
