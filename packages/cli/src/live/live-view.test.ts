import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { sampleRollout, sampleStatus } from '../views/board/sample-status.test.fixture.js'
import type { LiveClient, LiveMode } from './live-client.js'
import { canShowLive, runLiveView } from './live-view.js'

/** Streams that pass for a terminal. */
class Screen extends PassThrough {
  readonly isTTY = true
  readonly columns = 100
  readonly rows = 24
  text = ''
  constructor() {
    super()
    this.on('data', (chunk: Buffer) => (this.text += stripVTControlCharacters(chunk.toString())))
  }
}

class Keyboard extends PassThrough {
  readonly isTTY = true
  readonly setRawMode = (): this => this
  readonly ref = (): this => this
  readonly unref = (): this => this
}

function clientOf(stop: () => void): LiveClient {
  let gone = false
  return {
    status: async () => {
      if (gone) throw new Error('ECONNREFUSED')
      return sampleStatus()
    },
    events: (_onEvent, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
    traced: async () => [],
    drain: async () => undefined,
    resume: async () => undefined,
    restart: async () => undefined,
    actOnRollout: async () => sampleRollout(),
    stop: async () => {
      gone = true
      stop()
    },
    logPath: () => undefined,
  }
}

function listeners(): number {
  return process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')
}

function begin(mode: LiveMode, stop: () => void = () => undefined) {
  const [stdout, stdin] = [new Screen(), new Keyboard()]
  const options = { client: clientOf(stop), mode, curl: 'curl x', env: { LANG: 'C.UTF-8' } }
  const ended = runLiveView({ ...options, stdout: stdout as unknown as NodeJS.WriteStream, stdin: stdin as unknown as NodeJS.ReadStream })
  return { stdout, stdin, ended }
}

describe('runLiveView', () => {
  it('draws, takes keys, asks the balancer to stop and ends when it is gone', async () => {
    let stops = 0
    const { stdout, stdin, ended } = begin('up', () => (stops += 1))
    await expect.poll(() => stdout.text, { timeout: 10_000 }).toContain('gpu-0')
    expect(stdout.text).toContain('curl x')
    stdin.write('q')
    await expect.poll(() => stdout.text, { timeout: 10_000 }).toContain('Quit?')
    stdin.write('s')
    expect([await ended, stops]).toEqual(['stop', 1])
  })

  it('just leaves in top mode', async () => {
    const { stdout, stdin, ended } = begin('top')
    await expect.poll(() => stdout.text, { timeout: 10_000 }).toContain('gpu-0')
    stdin.write('q')
    expect(await ended).toBe('leave')
  })

  it('ends as closed when the terminal goes away and leaves no listener for signals that end a process', async () => {
    const before = listeners()
    const { stdout, stdin, ended } = begin('up')
    await expect.poll(() => stdout.text, { timeout: 10_000 }).toContain('gpu-0')
    stdin.destroy()
    expect(await ended).toBe('closed')
    expect(listeners()).toBe(before)
  })
})

describe('canShowLive', () => {
  it('needs a terminal on both sides that can move its cursor', () => {
    const tty = { isTTY: true }
    const show = (out: object, env: Record<string, string>): boolean =>
      canShowLive(out as NodeJS.WriteStream, tty as NodeJS.ReadStream, env)
    expect([show(tty, {}), show({}, {}), show(tty, { TERM: 'dumb' })]).toEqual([true, false, false])
  })
})
