import { render, type Instance } from 'ink'
import { createElement } from 'react'
import { glyphsFor } from '../views/board/index.js'
import type { LiveSession } from './live-session.js'
import { paletteFor } from './palette.js'
import { Screen } from './screen.js'

export interface Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stdin: NodeJS.ReadStream
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The one place where Ink meets the terminal. `interactive` is said outright, or Ink would draw nothing where it takes the machine for a CI. */
export function mount(session: LiveSession, { stdout, stdin, env }: Terminal): Instance {
  return render(createElement(Screen, { session, glyphs: glyphsFor(env), palette: paletteFor(env) }), {
    stdout,
    stdin,
    alternateScreen: true,
    incrementalRendering: true,
    interactive: true,
    exitOnCtrlC: false,
    // Nothing here writes to the console; patched, it would turn anything that does into a redraw.
    patchConsole: false,
    maxFps: 10,
  })
}
