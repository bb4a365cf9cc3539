import { Type } from 'typebox'
import { count, duration, section } from './schema-parts.js'

/** What a pool does while nodes are busy, slow, sick or gone. */
export const line = section(
  {
    max: Type.Optional(count('Requests that may wait at one moment, in each data thread.', { min: 0, max: 1_000_000, default: 1000 })),
    longest: Type.Optional(duration('Longest wait; then the request is answered 503 with Retry-After.', '30s')),
  },
  { description: 'The line in which requests wait, first come first served, while the strategy wants none of the nodes.' },
)

export const continuation = Type.Enum(['exact', 'text', 'off'], {
  description:
    'What becomes of a stream whose node goes away after the client was given text: another node goes on with it, by the ids of its tokens (`exact`, where the engine tells them) or by its text (`text`); `off`: it ends in an error. Only plain text of one choice is gone on with.',
  errorMessage: 'exact, text or off',
  default: 'text',
})

export const timeouts = section(
  {
    connect: Type.Optional(duration('Until a connection to the node stands.', '2s')),
    firstToken: Type.Optional(duration('Until the first byte of the answer.', '2m')),
    idle: Type.Optional(duration('Longest silence inside an answer. There is never a limit on its whole.', '60s')),
  },
  { description: 'How long to wait for a node.' },
)
