import { Type } from 'typebox'
import { duration, section } from './schema-parts.js'

const off = (description: string) => Type.Literal('off', { description })

export const hung = Type.Union(
  [
    off('Nobody watches for it.'),
    section(
      {
        after: Type.Optional(
          duration(
            'Silence over work that takes a node out; so much longer is allowed as prompts and answers there would take, by what the node took before.',
            '8s',
          ),
        ),
        restartAfter: Type.Optional(
          Type.Union([off('It is never restarted for that.'), duration('So long.')], {
            description: 'An engine that lb launched and that hangs for so long is ended and started again.',
            errorMessage: 'off, or a duration such as 60s',
            default: '60s',
          }),
        ),
      },
      { description: 'When a node counts as hung.' },
    ),
  ],
  {
    description:
      'Nodes that take requests and bring no token, although their probes may be good: they are taken out, and their requests go elsewhere. Long prompts and long answers do not count.',
    errorMessage: 'off, or { after: 8s, restartAfter: 60s }',
  },
)

export const canary = Type.Union(
  [
    Type.Boolean({ description: 'True: all nodes may be asked. False: none.' }),
    section(
      {
        every: Type.Optional(
          Type.Union([off('Only where there is doubt.'), duration('So often.')], {
            description: 'Ask every ready node regularly.',
            errorMessage: 'off, or a duration such as 30s',
            default: 'off',
          }),
        ),
        within: Type.Optional(duration('Longest wait for its answer.', '5s')),
      },
      { description: 'All nodes may be asked, so.' },
    ),
  ],
  {
    description:
      "A request of lb's own for one token, which confirms a doubt, and stands in for a client when a node that was out is tried again. Absent: only engines that lb launched are asked, for others may cost money.",
    errorMessage: 'true, false or { every: 30s, within: 5s }',
  },
)
