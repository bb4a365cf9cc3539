import { Type } from 'typebox'
import { count, duration, section } from './schema-parts.js'

/** What a new node is sent before clients may send it anything. */
export const warmUp = Type.Union(
  [
    Type.Boolean({ description: 'True: with the defaults. False: it takes requests as soon as it is ready.' }),
    section(
      {
        prompts: Type.Optional(count('At most so many prompts.', { min: 1, max: 16, default: 16 })),
        within: Type.Optional(duration('After so long it takes requests, however many of them it has computed.', '10s')),
      },
      { description: 'How many prompts, and for how long.' },
    ),
  ],
  {
    description:
      'A node that is new, started again or woken computes the prompts that are asked most before it takes requests, so that its prefix cache holds them. They are kept in memory only, and only where some node group is warmed. Default: true for launched nodes, false for attached ones.',
    errorMessage: 'true, false, or { prompts: 16, within: 10s }',
  },
)
