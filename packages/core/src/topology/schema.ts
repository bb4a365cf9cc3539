import { Type, type Static } from 'typebox'
import { count, duration, mapOf, name, namePattern, secret, section, size, word } from './schema-parts.js'

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

const gateway = section(
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

const strategy = Type.Union(
  [
    word('Name of the strategy.'),
    Type.Object(
      { name: word('Name of the strategy.') },
      { description: 'The name with settings of the strategy beside it.', additionalProperties: true },
    ),
  ],
  {
    description: 'How a node is chosen for a request: a name, or { name: ..., and its settings }. `lb strategies` lists them.',
    default: 'least-tokens',
    errorMessage: 'a name such as least-tokens, or { name, and its settings }',
  },
)

const envValue = Type.Union([Type.String({ description: 'The value itself.' }), secret('Value from the environment or a file.')], {
  description: 'A text, or where a secret is to be found.',
  errorMessage: 'a text, { env: NAME } or { file: PATH }',
})

const launch = section(
  {
    replicas: Type.Optional(count('How many processes.', { min: 1, max: 1024, default: 1 })),
    args: Type.Optional(
      Type.Object(
        {},
        {
          description: "Settings of the engine, checked by its plugin's own schema.",
          additionalProperties: true,
          errorMessage: 'keys and values',
        },
      ),
    ),
    env: Type.Optional(
      mapOf(envValue, {
        description: 'Environment variables of the processes, beside the documented base set. Secrets as { env: NAME } or { file: PATH }.',
        expected: 'names and values',
        names: { pattern: '^([A-Za-z_][A-Za-z0-9_]*|x-.*)$', expected: 'a name of letters, digits and _' },
      }),
    ),
    readyWithin: Type.Optional(duration("How long starting and loading may take. Absent: what the engine's plugin asks for.")),
    restarts: Type.Optional(
      section(
        {
          max: Type.Optional(count('Restarts before the node counts as failed.', { min: 0, max: 1000, default: 5 })),
          within: Type.Optional(duration('The time in which they are counted.', '10m')),
        },
        { description: 'How often a process that ends is started again.' },
      ),
    ),
  },
  { description: 'Start the engine here. Either this or attach.' },
)

const node = section(
  {
    name: Type.Optional(name("Name of the group. Default: the engine's name, numbered when it repeats.")),
    engine: word('What runs there. `lb engines` lists the known ones.', 'the name of an engine; lb engines lists them'),
    launch: Type.Optional(launch),
    attach: Type.Optional(
      word(
        'Base URL of a server that already runs; a path stays as a prefix. Either this or launch; some engines have a default.',
        'a URL such as http://127.0.0.1:8000',
      ),
    ),
    weight: Type.Optional(
      Type.Number({
        description: 'Share of the work compared with other nodes.',
        default: 1,
        exclusiveMinimum: 0,
        maximum: 1000,
        errorMessage: 'a number over 0, at most 1000',
      }),
    ),
    model: Type.Optional(word("The model's name at this node, where it differs from what clients say.")),
    apiKey: Type.Optional(secret('Key that the node wants, sent as `Authorization: Bearer`.')),
  },
  { description: 'A node group: one attached server, or launched replicas of one engine.' },
)

const timeouts = section(
  {
    connect: Type.Optional(duration('Until a connection to the node stands.', '2s')),
    firstToken: Type.Optional(duration('Until the first byte of the answer.', '2m')),
    idle: Type.Optional(duration('Longest silence inside an answer. There is never a limit on its whole.', '60s')),
  },
  { description: 'How long to wait for a node.' },
)

const health = section(
  {
    interval: Type.Optional(duration('Time between probes of one node.', '2s')),
    timeout: Type.Optional(duration('Longest wait for one probe.', '2s')),
    fall: Type.Optional(count('Failures in a row that take a node out.', { min: 1, max: 100, default: 3 })),
    rise: Type.Optional(count('Successes in a row that bring it back.', { min: 1, max: 100, default: 2 })),
  },
  { description: 'How nodes are probed.' },
)

const pool = section(
  {
    models: Type.Optional(
      Type.Array(word('A name that clients may ask for.'), {
        description: "Names that clients may ask for; the first is canonical. Default: the pool's name.",
        errorMessage: 'a list of names such as [qwen3-4b]',
        minItems: 1,
        maxItems: 1000,
      }),
    ),
    strategy: Type.Optional(strategy),
    nodes: Type.Array(node, {
      description: 'The node groups that share the work.',
      errorMessage: 'a list with at least one node',
      minItems: 1,
      maxItems: 1024,
    }),
    retries: Type.Optional(
      section(
        { max: Type.Optional(count('Other nodes tried before the first byte of an answer.', { min: 0, max: 5, default: 2 })) },
        { description: 'What happens when a node fails a request.' },
      ),
    ),
    timeouts: Type.Optional(timeouts),
    health: Type.Optional(health),
    drain: Type.Optional(duration('How long running requests may take to end when a node is taken out.', '60s')),
  },
  { description: 'Nodes that serve the same models.' },
)

/** The one source of the topology's checks, of lb.schema.json and of the reference page. Loading this costs 100 ms of CPU: running code reads lb.schema.json. */
export const topologySchema = Type.Object(
  {
    version: Type.Optional(Type.Literal(1, { description: 'Version of this format.', default: 1, errorMessage: '1' })),
    name: Type.Optional(name("Name of the topology. Default: the folder's name with a short hash of its path.")),
    gateway: Type.Optional(gateway),
    pools: mapOf(pool, {
      description: 'The pools by name.',
      expected: 'at least one pool, such as chat: { nodes: [...] }',
      names: { pattern: namePattern, expected: 'lower-case letters, digits and hyphens, such as chat' },
      size: { minProperties: 1, maxProperties: 256 },
    }),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Plimsoll topology, version 1',
    errorMessage: 'keys, at least pools: { chat: { nodes: [...] } }',
    description: 'What lb makes so: a gateway and pools of nodes.',
    additionalProperties: false,
    patternProperties: { '^x-': {} },
  },
)

/** A topology as people write it. */
export type TopologyInput = Static<typeof topologySchema>
