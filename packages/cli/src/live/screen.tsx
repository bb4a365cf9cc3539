import { Box, Text, useInput, useWindowSize, type TextProps } from 'ink'
import { createElement, memo, useSyncExternalStore, type ReactElement } from 'react'
import type { Glyphs, Line, Tone } from '../views/board/index.js'
import { frameLines } from './frame.js'
import type { LiveSession } from './live-session.js'

/** Colours per tone, or none at all: NO_COLOR and dumb terminals lose nothing but colour. */
export type Palette = Readonly<Record<Tone, TextProps>>

export interface ScreenProps {
  readonly session: LiveSession
  readonly glyphs: Glyphs
  readonly palette: Palette
}

/**
 * Turns the session's state into lines and keys into presses; everything that thinks is elsewhere. Without JSX: its compilers bind a file to
 * one of React's two builds, and which one is loaded is decided at run time.
 */
export function Screen({ session, glyphs, palette }: ScreenProps): ReactElement {
  const state = useSyncExternalStore(session.subscribe, session.state)
  const size = useWindowSize()
  useInput(session.press)
  // Rows have no identity beyond their place: a row is drawn again only when what stands there changes.
  const rows = frameLines(state, size, glyphs).map((line, place) => createElement(Row, { key: place, line, palette }))
  return createElement(Box, { flexDirection: 'column', height: size.rows, width: size.columns, overflow: 'hidden' }, ...rows)
}

interface RowProps {
  readonly line: Line
  readonly palette: Palette
}

const Row = memo(drawRow, (before, after) => before.palette === after.palette && sameLine(before.line, after.line))

/** An empty line is a blank, or Ink would give it no height. */
function drawRow({ line, palette }: RowProps): ReactElement {
  const spans = line.map(({ text, tone }, place) => createElement(Text, { key: place, ...palette[tone] }, text))
  return createElement(Text, { wrap: 'truncate' }, ...(spans.length === 0 ? [' '] : spans))
}

function sameLine(before: Line, after: Line): boolean {
  return (
    before.length === after.length && before.every((part, index) => part.text === after[index]?.text && part.tone === after[index]?.tone)
  )
}
