import { Type } from 'typebox'
import { count, duration, percent, section } from './schema-parts.js'

const hedgeAfter = Type.Union(
  [percent('Once so many of the first tokens of prompts of its size would have come, as they were lately.'), duration('After this time.')],
  { description: 'When the second try starts.', errorMessage: 'a share such as 95%, or a duration such as 2s', default: '95%' },
)

const hedge = Type.Union(
  [
    Type.Literal('off', { description: 'Never two tries at once.' }),
    section(
      {
        after: Type.Optional(hedgeAfter),
        most: Type.Optional(percent('Of so many requests at most, a second try starts.', '5%')),
      },
      { description: 'When, and how often.' },
    ),
  ],
  {
    description:
      'Whether a request that waits unusually long for its first token is sent to a second node, while one has nothing else to wait for. The first answer counts; the other try is broken off.',
    errorMessage: 'off, or { after: 95%, most: 5% }',
    default: 'off',
  },
)

/** What a pool does when a node fails a request, or none is there. */
export const retries = section(
  {
    max: Type.Optional(
      count(
        'How often a request may be sent again, before the first byte of an answer. Nodes that cannot be reached or answer 429 have done no work and do not count. 0: never, not even then.',
        { min: 0, max: 100, default: 8 },
      ),
    ),
    within: Type.Optional(duration('No try begins later than so long after the request came.', '5m')),
    wait: Type.Optional(
      duration('Longest wait for a node, where all are down, on cooldown or tried; then the request is answered 503. 0s: none.', '9s'),
    ),
    loading: Type.Optional(duration('The same where a node of the pool is starting or loading.', '30s')),
    pause: Type.Optional(
      section(
        {
          first: Type.Optional(duration('Longest pause before nodes are asked a second time; it doubles each time.', '100ms')),
          longest: Type.Optional(duration('It grows up to here. Also what a Retry-After is honoured up to.', '2s')),
        },
        {
          description:
            'The pause of a request that all nodes have failed, before they may be asked again: at random between 0 and the longest.',
        },
      ),
    ),
    budget: Type.Optional(
      percent('Tries in vain that a pool allows itself, as a share of its requests of the last 10 s, in each data thread.', '20%'),
    ),
    floor: Type.Optional(count('Tries in vain that it allows itself besides in 10 s.', { min: 0, max: 1_000_000, default: 50 })),
    hedge: Type.Optional(hedge),
  },
  { description: 'What happens when a node fails a request, or none is there for it.' },
)
