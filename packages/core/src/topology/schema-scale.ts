import { Type } from 'typebox'
import { count, duration, name, percent, section, word } from './schema-parts.js'

const positive = (description: string, expected = 'a number over 0') =>
  Type.Number({ description, exclusiveMinimum: 0, maximum: 1_000_000_000_000, errorMessage: expected })

const clockTime = (description: string) =>
  Type.String({ description, pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', errorMessage: "a time of day such as '08:30'" })

const url = (description: string) =>
  Type.String({ description, pattern: '^https?://[^\\s#]+$', maxLength: 2048, errorMessage: 'a URL such as http://127.0.0.1:9090' })

const target = section(
  {
    queueSeconds: Type.Optional(positive('Work that waits, in seconds that one node needs for it.', 'a number of seconds over 0')),
    ttft: Type.Optional(duration('95th percentile of the time to the first token.')),
    tokensInFlight: Type.Optional(positive('Prompt and expected answer of the requests at one node, in tokens.')),
    kvUsed: Type.Optional(percent('Share of the KV cache in use, where the engine tells.')),
  },
  { description: 'What one node shall bear at most; the strictest wins. Default: { queueSeconds: 1 }.' },
)

const floorByTime = section(
  {
    from: clockTime('Begin.'),
    to: clockTime('End; earlier than the begin: of the next day.'),
    days: Type.Optional(
      Type.Array(
        Type.Enum(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'], {
          description: 'A day of the week.',
          errorMessage: 'sun, mon, tue, wed, thu, fri or sat',
        }),
        {
          description: 'On which days it begins. Default: all.',
          errorMessage: 'a list such as [mon, tue]',
          minItems: 1,
          maxItems: 7,
        },
      ),
    ),
    min: count('At least so many.', { min: 1, max: 1024 }),
    timeZone: Type.Optional(word('Whose time of day: Europe/Berlin. Default: that of the machine (TZ), which in containers is often UTC.')),
  },
  { description: 'A floor for a part of the day.' },
)

const trigger = section(
  {
    name: Type.Optional(name('What it is called in reasons. Default: its kind.')),
    prometheus: Type.Optional(url('Base URL of a Prometheus that is asked `query`.')),
    query: Type.Optional(word('An instant query with one number as its answer.')),
    url: Type.Optional(url('Answers a number, or JSON with one at `path`.')),
    path: Type.Optional(word('Where the number is: result.0.value.')),
    gpu: Type.Optional(
      Type.Literal(true, { description: "Mean use of the group's accelerators, 0 to 1.", errorMessage: 'true, or nothing' }),
    ),
    perReplica: positive('What one replica bears.'),
    every: Type.Optional(duration('How often it is asked.', '15s')),
  },
  { description: 'A number from outside that asks for replicas too: one of `prometheus`, `url` and `gpu`.' },
)

const commandLine = (description: string) =>
  Type.Array(word('A part of the command line.'), {
    description,
    errorMessage: 'a list such as [./add-machine, --size, small]',
    minItems: 1,
    maxItems: 256,
  })

const provider = section(
  {
    up: Type.Optional(
      commandLine('Run before there are more nodes. No shell reads it; LB_POOL, LB_GROUP, LB_FROM and LB_WANTED tell it what for.'),
    ),
    down: Type.Optional(commandLine('The same once nodes have gone.')),
    webhook: Type.Optional(url('Asked by POST with the same as JSON, in the place of commands.')),
    timeout: Type.Optional(duration('How long one call may take.', '5m')),
  },
  { description: 'Brings and returns machines: `up` and `down`, or `webhook`.' },
)

/** How many replicas there are, where that follows the load. */
export const scaled = section(
  {
    min: count('Never fewer. 0: it may rest wholly, and the first request wakes it.', { min: 0, max: 1024 }),
    max: count('Never more.', { min: 1, max: 1024 }),
    target: Type.Optional(target),
    upAfter: Type.Optional(duration('How long more must be wanted before there are more.', '20s')),
    downAfter: Type.Optional(duration('How long fewer must suffice before there are fewer.', '5m')),
    cooldown: Type.Optional(duration('Between two changes.', '10s')),
    idle: Type.Optional(duration('Without requests for so long it rests wholly, where `min` is 0.', '10m')),
    schedule: Type.Optional(
      Type.Array(floorByTime, { description: 'Floors by time of day.', errorMessage: 'a list of { from, to, min }', maxItems: 100 }),
    ),
    triggers: Type.Optional(
      Type.Array(trigger, { description: 'What else it follows.', errorMessage: 'a list of triggers', maxItems: 20 }),
    ),
    provider: Type.Optional(provider),
  },
  { description: 'As many as the load needs.' },
)
