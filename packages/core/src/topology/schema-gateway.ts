import { Type } from 'typebox'
import { count, duration, secret, section, size, word } from './schema-parts.js'

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

const workers = Type.Union(
  [
    count('That many data threads.', { min: 1, max: 64 }),
    Type.Literal('auto', { description: 'One data thread for each core.', errorMessage: 'auto' }),
  ],
  {
    description:
      'Threads that carry requests, with one belief about nodes among them; auto: one for each core. A change takes effect at the next start.',
    default: 1,
    errorMessage: 'a whole number from 1 to 64, or auto',
  },
)

const cors = section(
  {
    origins: Type.Union(
      [
        Type.Literal('*', { description: 'Every origin.', errorMessage: "'*'" }),
        Type.Array(word('One origin, as the browser sends it: scheme://host, with :port where it is not the default.'), {
          description: 'These origins.',
          minItems: 1,
          maxItems: 256,
          errorMessage: '1 to 256 origins such as http://localhost:3000',
        }),
      ],
      {
        description: "Origins of the pages that may ask: a list, or '*' for every one.",
        errorMessage: "a list such as [http://localhost:3000], or '*'",
      },
    ),
    maxAge: Type.Optional(duration('How long a browser may remember the answer to a preflight.', '10m')),
  },
  { description: 'Pages in a browser that may ask this gateway (CORS). Absent: no page of another origin may.' },
)

const tls = section(
  {
    cert: word('Path of the certificate with its chain, PEM; relative paths start at the topology file.'),
    key: word('Path of its private key, PEM.'),
  },
  {
    description:
      'Clients connect with TLS. Absent: plain HTTP. New contents of the files are taken up while running; other paths at the next start.',
  },
)

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
          description:
            'Where clients connect: one address or several. Anything beyond loopback needs apiKeys or open: true. A change takes effect at the next start.',
          default: '127.0.0.1:8484',
          errorMessage: 'one address or a list of them',
        },
      ),
    ),
    workers: Type.Optional(workers),
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
    trustedProxies: Type.Optional(
      Type.Array(word('An IP address, a network such as 10.0.0.0/8, or unix for those that connect through a unix socket.'), {
        description:
          'Proxies in front of this gateway. Only what they say of a client (Forwarded, X-Forwarded-For, PROXY protocol) is believed.',
        errorMessage: 'a list such as [10.0.0.0/8, unix]',
        maxItems: 256,
        default: [],
      }),
    ),
    cors: Type.Optional(cors),
    tls: Type.Optional(tls),
    connectionsPerAddress: Type.Optional(
      count(
        'Connections that one address may hold, with several `workers` at each of them; loopback, unix sockets and trusted proxies are not counted.',
        {
          min: 1,
          max: 1_000_000,
          default: 1000,
        },
      ),
    ),
    maxConnections: Type.Optional(
      count(
        'Connections of all clients together. The limit of open files (`ulimit -n`) may leave room for fewer: two for each request, and 256 to spare.',
        { min: 1, max: 1_000_000, default: 20_000 },
      ),
    ),
    heartbeat: Type.Optional(
      duration(
        'Longest silence of a stream: before it is over a comment is sent, the first time after 10 to 15 s at most, then after two thirds of it at least, so that nothing in between cuts the connection. 0s: none is sent.',
        '15s',
      ),
    ),
    maxBody: Type.Optional(size('Largest request body.', '64MiB')),
    maxBodies: Type.Optional(size('Largest sum of the bodies that are held at one moment.', '512MiB')),
    requestLog: Type.Optional(requestLog),
    zone: Type.Optional(
      word('Where this gateway stands: nodes of the same `zone` are preferred while their wait is not longer than the way to others.'),
    ),
    traceShare: Type.Optional(
      Type.Number({
        description: 'Share of requests whose routing decision is kept for `lb why`, 0 to 1. Others are kept when asked for.',
        default: 0.01,
        minimum: 0,
        maximum: 1,
        errorMessage: 'a number from 0 to 1',
      }),
    ),
  },
  { description: 'How clients reach the balancer.' },
)
