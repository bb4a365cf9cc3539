import { Type } from 'typebox'
import { attach } from './schema-attach.js'
import { health } from './schema-health.js'
import { count, duration, mapOf, name, secret, section, word } from './schema-parts.js'
import { residency } from './schema-residency.js'
import { continuation, line, timeouts } from './schema-resilience.js'
import { retries } from './schema-retries.js'
import { rollout } from './schema-rollout.js'
import { scaled } from './schema-scale.js'
import { warmUp } from './schema-warm-up.js'

const strategy = Type.Union(
  [
    word('Name of the strategy.', 'a strategy such as least-requests'),
    Type.Object(
      { name: word('Name of the strategy.', 'a strategy such as least-requests') },
      { description: 'The name with settings of the strategy beside it.', additionalProperties: true },
    ),
  ],
  {
    description: 'How a node is chosen for a request: a name, or { name: ..., and its settings }. `lb strategies` lists them.',
    default: 'adaptive',
    errorMessage: 'a name such as least-requests, or { name, and its settings }',
  },
)

const envValue = Type.Union([Type.String({ description: 'The value itself.' }), secret('Value from the environment or a file.')], {
  description: 'A text, or where a secret is to be found.',
  errorMessage: 'a text, { env: NAME } or { file: PATH }',
})

const gpuRef = Type.Union(
  [
    count('Number, as lb gpus shows it.', { min: 0, max: 1023 }),
    word('A uuid (GPU-..., MIG-...) or the beginning of one, or a place on the PCI bus.'),
  ],
  { description: 'One GPU.', errorMessage: 'a number such as 0, or a uuid such as GPU-8932f937' },
)

const gpus = Type.Union(
  [
    Type.Literal('none', { description: 'None: the engine runs on the CPU.' }),
    Type.Array(
      Type.Array(gpuRef, {
        description: 'The GPUs of one replica.',
        errorMessage: 'a list of GPUs, such as [0, 1]',
        minItems: 1,
        maxItems: 64,
      }),
      { description: 'One list for each replica. Replicas that name the same GPU share it.', minItems: 1, maxItems: 1024 },
    ),
    section(
      {
        perReplica: Type.Optional(
          count('How many GPUs each replica gets; more than one are of one maker.', { min: 1, max: 64, default: 1 }),
        ),
        from: Type.Optional(
          Type.Array(gpuRef, {
            description: 'GPUs to choose from. Absent: all.',
            errorMessage: 'a list of GPUs, such as [0, 1]',
            minItems: 1,
            maxItems: 1024,
          }),
        ),
        needMiB: Type.Optional(
          count("Memory that one replica takes of all its GPUs together. Absent: what the engine's plugin expects.", {
            min: 1,
            max: 100_000_000,
          }),
        ),
        share: Type.Optional(
          Type.Boolean({ description: 'Others that say the same may use the GPUs too.', default: false, errorMessage: 'true or false' }),
        ),
      },
      { description: 'A count, chosen by what is free.' },
    ),
  ],
  {
    description:
      'GPUs that the engine may use; the others are hidden from it. Absent: it sees all. Each is reserved for it on this machine.',
    errorMessage: 'none, { perReplica: 1 }, or a list for each replica such as [[0], [1]]',
  },
)

const launch = section(
  {
    replicas: Type.Optional(
      Type.Union([count('So many.', { min: 1, max: 1024 }), scaled], {
        description: 'How many processes: a number, or { min, max } and the load decides.',
        errorMessage: 'a whole number from 1 to 1024, or { min: 1, max: 4 }',
        default: 1,
      }),
    ),
    model: Type.Optional(
      word(
        'The weights to load, as the engine names them: a Hugging Face repository, a file, a tag. Not a name that clients ask for: that is `models`.',
      ),
    ),
    command: Type.Optional(
      Type.Array(word('A part of the command line.'), {
        description:
          "The command to run instead of the engine's own (uv, conda, a container, a build of yours). With ${PORT} in it, it is the whole command line; else the engine's arguments follow it. ${PORT}, ${HOST}, ${MODEL} and ${REPLICA} are filled in at each launch. No shell reads it.",
        errorMessage: "a list such as [uv, run, my-server] or [my-server, --port, '${PORT}']",
        minItems: 1,
        maxItems: 256,
      }),
    ),
    venv: Type.Optional(word('A Python virtual environment whose commands come first; relative paths start at the topology file.')),
    ready: Type.Optional(
      Type.String({
        description: 'Path that answers 200 once the engine would serve. Absent: what its plugin knows; for `openai`, the list of models.',
        errorMessage: 'a path such as /health',
        pattern: '^/[^\\s#]*$',
        maxLength: 1024,
      }),
    ),
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
    gpus: Type.Optional(gpus),
    readyWithin: Type.Optional(
      duration(
        "How long it may go without progress while it starts and loads; 20 times this is the limit on the whole. Absent: what the engine's plugin asks for.",
      ),
    ),
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

const labelPattern = '^[A-Za-z0-9_.-]{1,63}$'

const money = (description: string) => Type.Number({ description, minimum: 0, maximum: 1_000_000, errorMessage: 'a number, at least 0' })

const node = section(
  {
    name: Type.Optional(name("Name of the group. Default: the engine's name, numbered when it repeats.")),
    engine: word('What runs there. `lb engines` lists the known ones.', 'the name of an engine; lb engines lists them'),
    launch: Type.Optional(launch),
    ssh: Type.Optional(
      word(
        'The machine on which to launch: a name under `hosts`, or [user@]host[:port]. Absent: this one.',
        'a name under hosts, or user@host',
      ),
    ),
    attach: Type.Optional(attach),
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
    zone: Type.Optional(
      word('Where these nodes stand. Absent: the zone of their host; of the gateway, where lb launches them on its own machine.'),
    ),
    labels: Type.Optional(
      mapOf(word('The value.'), {
        description: 'What these nodes are, for requests that ask for it: `x-lb-labels: gpu=h100`.',
        expected: 'names and texts such as { gpu: h100 }',
        names: { pattern: labelPattern, expected: 'letters, digits, dots, hyphens and _' },
      }),
    ),
    role: Type.Optional(
      Type.Enum(['prefill', 'decode'], {
        description:
          'Where a pool parts its work: `prefill` nodes compute prompts for the others, `decode` nodes answer with what those computed. Absent: both.',
      }),
    ),
    price: Type.Optional(
      section(
        {
          prompt: money('For a million prompt tokens.'),
          output: money('For a million answer tokens.'),
        },
        { description: 'What a provider asks for, in one currency of your choice.' },
      ),
    ),
    warmUp: Type.Optional(warmUp),
    apiKey: Type.Optional(secret('Key that the node wants, sent as `Authorization: Bearer`.')),
  },
  { description: 'A node group: one attached server, or launched replicas of one engine.' },
)

const handover = section(
  {
    minPromptTokens: Type.Optional(count('Shorter prompts are computed where they are answered.', { min: 0, max: 10_000_000, default: 0 })),
    orServe: Type.Optional(
      Type.Boolean({
        description: 'Whether the node that answers computes the prompt itself when none of `role: prefill` does it. False: 503.',
        default: true,
        errorMessage: 'true or false',
      }),
    ),
  },
  { description: 'How prompts go from nodes of `role: prefill` to those of `role: decode`.' },
)

/** Nodes that serve the same models. */
export const pool = section(
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
    sessionHeader: Type.Optional(
      Type.String({
        description: 'A header that names the conversation, read before all others.',
        errorMessage: 'the name of a header such as x-conversation-id',
        pattern: '^[A-Za-z0-9-]{1,64}$',
      }),
    ),
    requireLabels: Type.Optional(
      mapOf(word('The value.'), {
        description: 'Only nodes with these labels get requests; for sources that name more servers than are meant.',
        expected: 'names and texts such as { gpu: h100 }',
        names: { pattern: labelPattern, expected: 'letters, digits, dots, hyphens and _' },
      }),
    ),
    line: Type.Optional(line),
    handover: Type.Optional(handover),
    retries: Type.Optional(retries),
    continuation: Type.Optional(continuation),
    timeouts: Type.Optional(timeouts),
    health: Type.Optional(health),
    residency: Type.Optional(residency),
    drain: Type.Optional(duration('How long running requests may take to end when a node is taken out.', '60s')),
    rollout: Type.Optional(rollout),
  },
  { description: 'Nodes that serve the same models.' },
)
