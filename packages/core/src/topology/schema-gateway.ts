import { Type } from 'typebox'
import { count, secret, section, size, word } from './schema-parts.js'

const requestLog = Type.Union(
  [
    word('Path of the file.'),
    section(
      {
        file: word('Path of the file; relative paths start at the topology file.'),
        maxSize: Type.Optional(size('Size at which the file is rotated.', '64MiB')),
        keep: Type.Optional(count('Rotated files that are kept.', { min: 1, max: 100, default: 3 })),
      },
      { description: 'The file with its rotation.' },
    ),
  ],
  {
    description: 'A file that gets one JSON line for each settled request; never its text. Absent: none is written.',
    errorMessage: 'a path, or { file, maxSize, keep }',
  },
)

const listenAddress = Type.String({
  description: 'HOST:PORT, [IPV6]:PORT or unix:PATH.',
  errorMessage: 'HOST:PORT such as 127.0.0.1:8484, [::1]:8484, or unix:/path',
  minLength: 1,
})

/** How clients reach the balancer. */
export const gateway = section(
  {
    listen: Type.Optional(
      Type.Union(
        [
          listenAddress,
          Type.Array(listenAddress, { description: 'Several addresses.', minItems: 1, maxItems: 16, errorMessage: '1 to 16 addresses' }),
        ],
        {
          description: 'Where clients connect: one address or several. Anything beyond loopback needs apiKeys or open: true.',
          default: '127.0.0.1:8484',
          errorMessage: 'one address or a list of them',
        },
      ),
    ),
    apiKeys: Type.Optional(
      Type.Array(secret('One key that clients may send; never the key itself.'), {
        description:
          'Keys that clients must send, as `Authorization: Bearer` or `x-api-key`. Each is { env: NAME } or { file: PATH }. Empty: no key is asked for.',
        errorMessage: 'a list such as [{ env: LB_API_KEY }]',
        maxItems: 1000,
        default: [],
      }),
    ),
    open: Type.Optional(
      Type.Boolean({
        description: 'True: listening beyond loopback without keys is meant.',
        default: false,
        errorMessage: 'true or false',
      }),
    ),
    maxBody: Type.Optional(size('Largest request body.', '64MiB')),
    maxBodies: Type.Optional(size('Largest sum of the bodies that are held at one moment.', '512MiB')),
    requestLog: Type.Optional(requestLog),
  },
  { description: 'How clients reach the balancer.' },
)
