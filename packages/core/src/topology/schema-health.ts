import { Type } from 'typebox'
import { canary, hung } from './schema-hung.js'
import { count, duration, percent, section } from './schema-parts.js'

const eject = Type.Union(
  [
    Type.Literal('off', { description: 'No node is taken out by what its requests say.' }),
    section(
      {
        after: Type.Optional(
          count('Failed requests in a row that take a node out. 0: they are not counted so.', { min: 0, max: 10_000, default: 5 }),
        ),
        share: Type.Optional(
          percent('Share of failed requests that takes it out, of at least 10 within the window. 0%: it is not counted so.', '50%'),
        ),
        window: Type.Optional(duration('How far back the share looks.', '10s')),
        most: Type.Optional(percent('Share of the nodes of the pool that may be out at one moment.', '50%')),
        first: Type.Optional(duration('How long a node is out the first time; each further time is twice as long.', '1s')),
        longest: Type.Optional(duration('It grows up to here.', '30s')),
        slower: Type.Optional(
          Type.Union(
            [
              Type.Literal(0, { description: 'Slowness is not judged.' }),
              Type.Number({ description: 'So many times.', minimum: 1.2, maximum: 100 }),
            ],
            {
              description:
                'A node whose time between tokens is more than so many times what it used to be, and what became of that of its equals, is taken out as if it failed. 0: slowness is not judged.',
              errorMessage: '0, or a number from 1.2 to 100',
              default: 2.5,
            },
          ),
        ),
      },
      { description: 'When, for how long and how many.' },
    ),
  ],
  {
    description:
      'Whether nodes that fail requests, or turn slow, are taken out for a while although their probes are good. Errors of clients, answers 429, long prompts and long answers never count.',
    errorMessage: 'off, or { after: 5, share: 50%, ... }',
  },
)

export const health = section(
  {
    interval: Type.Optional(duration('Time between probes of one node.', '2s')),
    timeout: Type.Optional(duration('Longest wait for one probe.', '2s')),
    fall: Type.Optional(count('Failures in a row that take a node out.', { min: 1, max: 100, default: 3 })),
    rise: Type.Optional(count('Successes in a row that bring it back.', { min: 1, max: 100, default: 2 })),
    eject: Type.Optional(eject),
    hung: Type.Optional(hung),
    canary: Type.Optional(canary),
    slowStart: Type.Optional(
      duration('A node that comes back after a failure gets a share of its usual requests that grows for so long. 0s: all at once.', '30s'),
    ),
  },
  { description: 'How nodes are judged: by probes, and by how their requests fare.' },
)
