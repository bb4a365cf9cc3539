import { Box, Text, useInput, useWindowSize, type TextProps } from 'ink'
import { memo, useSyncExternalStore, type ReactElement } from 'react'
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

/** Turns the session's state into lines and keys into presses; everything that thinks is elsewhere. */
export function Screen({ session, glyphs, palette }: ScreenProps): ReactElement {
  const state = useSyncExternalStore(session.subscribe, session.state)
  const size = useWindowSize()
  useInput(session.press)
  const lines = frameLines(state, size, glyphs)
  return (
    <Box flexDirection="column" height={size.rows} width={size.columns} overflow="hidden">
      {lines.map((line, row) => (
        // Rows have no identity beyond their place: a row is drawn again only when what stands there changes.
        // oxlint-disable-next-line react/no-array-index-key
        <Row key={row} line={line} palette={palette} />
      ))}
    </Box>
  )
}

interface RowProps {
  readonly line: Line
  readonly palette: Palette
}

const Row = memo(
  ({ line, palette }: RowProps): ReactElement => (
    <Text wrap="truncate">
      {line.length === 0 ? ' ' : null}
      {line.map(({ text, tone }, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <Text key={index} {...palette[tone]}>
          {text}
        </Text>
      ))}
    </Text>
  ),
  (before, after) => before.palette === after.palette && sameLine(before.line, after.line),
)

function sameLine(before: Line, after: Line): boolean {
  return (
    before.length === after.length && before.every((part, index) => part.text === after[index]?.text && part.tone === after[index]?.tone)
  )
}
