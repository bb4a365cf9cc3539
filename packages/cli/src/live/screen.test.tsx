import { EventEmitter } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import { cleanup, render as renderForTest } from 'ink-testing-library'
import { render, type Instance } from 'ink'
import { afterEach, describe, expect, it } from 'vitest'
import { glyphsFor } from '../views/board/index.js'
import { sampleRollout, sampleStatus, SAMPLE_AT_MS, SAMPLE_EVENTS } from '../views/board/sample-status.test.fixture.js'
import type { LiveClient } from './live-client.js'
import { LiveSession } from './live-session.js'
import { paletteFor } from './palette.js'
import { Screen } from './screen.js'

const CURL = `curl http://127.0.0.1:8484/v1/chat/completions -d '{"model":"qwen3-4b","messages":[{"role":"user","content":"hi"}]}'`

const client: LiveClient = {
  status: async () => sampleStatus(),
  events: async (onEvent, signal) => {
    for (const event of SAMPLE_EVENTS.toReversed()) onEvent(event)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  },
  traced: async () => [],
  drain: async () => undefined,
  resume: async () => undefined,
  restart: async () => undefined,
  actOnRollout: async () => sampleRollout(),
  stop: async () => undefined,
  logPath: () => undefined,
}

/** A terminal of a given size that remembers its last whole frame. */
class Terminal extends EventEmitter {
  readonly isTTY = true
  frame = ''
  constructor(
    public columns: number,
    readonly rows: number,
  ) {
    super()
  }

  readonly write = (text: string): boolean => {
    if (text.length > 100) this.frame = stripVTControlCharacters(text)
    return true
  }

  resizeTo(columns: number): void {
    this.columns = columns
    this.emit('resize')
  }
}

const sessions: LiveSession[] = []
const apps: Instance[] = []

async function beginSession(): Promise<LiveSession> {
  const session = new LiveSession({ client, mode: 'up', curl: CURL, now: () => SAMPLE_AT_MS, pace: { settleMs: 1 } })
  sessions.push(session)
  await session.start()
  return session
}

async function show(columns: number, env: Record<string, string> = { LANG: 'C.UTF-8' }): Promise<Terminal> {
  const session = await beginSession()
  const stdout = new Terminal(columns, 30)
  const screen = <Screen session={session} glyphs={glyphsFor(env)} palette={paletteFor(env)} />
  apps.push(
    render(screen, {
      stdout: stdout as unknown as NodeJS.WriteStream,
      debug: true,
      interactive: true,
      patchConsole: false,
      exitOnCtrlC: false,
      stdin: new Keys() as unknown as NodeJS.ReadStream,
    }),
  )
  await expect.poll(() => stdout.frame).toContain('14:02:18')
  return stdout
}

class Keys extends EventEmitter {
  readonly isTTY = true
  readonly setEncoding = (): this => this
  readonly setRawMode = (): this => this
  readonly resume = (): this => this
  readonly pause = (): this => this
  readonly ref = (): this => this
  readonly unref = (): this => this
  readonly read = (): null => null
}

afterEach(() => {
  for (const app of apps.splice(0)) app.unmount()
  for (const session of sessions.splice(0)) session.end('closed')
  cleanup()
})

describe('the screen', () => {
  it.each([120, 100, 80, 60, 40])('stands at %i columns', async (columns) => {
    const { frame } = await show(columns)
    const lines = frame.trimEnd().split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
    expect(lines).toHaveLength(30)
    expect(frame).toContain('support-bot')
    expect(frame).toContain('http://127.0.0.1:8484')
    expect(frame).toMatch(/● ready/)
    expect(frame).toContain('q quit')
  })

  it('follows the window', async () => {
    const terminal = await show(120)
    expect(terminal.frame).toContain('ENGINE')
    terminal.resizeTo(80)
    await expect.poll(() => terminal.frame).not.toContain('ENGINE')
  })

  it('says the same without colour and outside UTF-8', async () => {
    const { frame } = await show(100, { LANG: 'C', NO_COLOR: '1' })
    expect(frame).toMatch(/> gpu-0 +here +\* ready +#/)
    // oxlint-disable-next-line no-control-regex
    expect(frame).toMatch(/^[\u0000-\u007f]*$/)
  })

  it('listens to keys', async () => {
    const session = await beginSession()
    const { stdin, lastFrame } = renderForTest(
      <Screen session={session} glyphs={glyphsFor({ LANG: 'C.UTF-8' })} palette={paletteFor({})} />,
    )
    await expect.poll(lastFrame).toContain('▸ gpu-0')
    stdin.write('\u001b[B')
    await expect.poll(lastFrame).toContain('▸ gpu-1')
    stdin.write('q')
    await expect.poll(lastFrame).toContain('Quit?')
  })
})

function colours(env: Record<string, string>): unknown[] {
  return Object.values(paletteFor(env)).filter((props) => Object.keys(props).length > 0)
}

describe('the palette', () => {
  it('has no colour with NO_COLOR or on a dumb terminal, and colour otherwise', () => {
    expect(colours({ NO_COLOR: '1' })).toEqual([])
    expect(colours({ TERM: 'dumb' })).toEqual([])
    expect(colours({ NO_COLOR: '' })).not.toEqual([])
  })
})
