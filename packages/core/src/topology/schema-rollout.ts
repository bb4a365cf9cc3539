import { Type } from 'typebox'
import { rolloutKinds } from './rollout-plan.js'
import { count, duration, factor, increase, percent, section, word } from './schema-parts.js'

const url = (description: string) => word(description, 'a URL such as http://127.0.0.1:9090/health')

const bound = (description: string) => Type.Number({ description, errorMessage: 'a number' })

const metric = section(
  {
    name: word('What it is called in reports.'),
    url: Type.Optional(url('Answers a number, or JSON that holds one; `{revision}` in it is filled in.')),
    plugin: Type.Optional(word('The metric of a plugin that tells it, in the place of a URL.')),
    args: Type.Optional(
      Type.Object({}, { description: 'Settings of that metric.', additionalProperties: true, errorMessage: 'a map of settings' }),
    ),
    path: Type.Optional(word('Where the number stands in the JSON: `result.0.value`. Absent: the whole answer.')),
    every: Type.Optional(duration('How often it is asked.', '10s')),
    min: Type.Optional(bound('Less is bad.')),
    max: Type.Optional(bound('More is bad.')),
    failures: Type.Optional(count('Bad or missing answers that are borne.', { min: 0, max: 1000, default: 2 })),
  },
  { description: 'A figure of your own, of the new revision.' },
)

const judge = section(
  {
    errorRate: Type.Optional(increase('So many more of its requests may fail, as a difference of shares.', '+1%')),
    ttft: Type.Optional(factor('So many times as long it may take to the first token, by the median.', 'x1.5')),
    tpot: Type.Optional(factor('So many times as long it may take from token to token, by the median.', 'x1.5')),
    emptyOutputs: Type.Optional(increase('So many more of its answers may be empty.', '+1%')),
    repeated: Type.Optional(increase('So many more of its answers may say the same over and over.', '+1%')),
    malformed: Type.Optional(
      increase('So many more of its answers may be no JSON, or call a tool wrongly, where that was asked for.', '+1%'),
    ),
    length: Type.Optional(factor('So many times as long or as short its answers may be, by the mean. Absent: any length.')),
    minSamples: Type.Optional(
      count('Requests that a verdict needs on each side. Fewer by the end of the last step are a failure.', {
        min: 1,
        max: 1_000_000,
        default: 50,
      }),
    ),
    falseAlarmRate: Type.Optional(percent('Chance that an equal revision is called worse, over a whole rollout.', '0.3%')),
    golden: Type.Optional(word('File of prompts with what their answers must be; relative paths start at the topology file.')),
    metrics: Type.Optional(
      Type.Array(metric, {
        description: 'Figures of your own, told by a URL or by a plugin.',
        errorMessage: 'a list such as [{ name: rating, url: ..., min: 4 }]',
        maxItems: 32,
      }),
    ),
  },
  { description: 'What the new revision may be worse by than the old one, over the same time.' },
)

/** How a new revision goes live. */
export const rollout = section(
  {
    kind: Type.Optional(
      Type.Enum([...rolloutKinds], {
        description:
          'rolling: node by node. canary: by growing shares of traffic. blue-green: a full second set, one switch. in-place: where there is no room for two. shadow: copies of requests, answers compared and never shown. split: lasting shares. Absent: what the GPUs allow.',
        errorMessage: `one of ${rolloutKinds.join(', ')}`,
      }),
    ),
    steps: Type.Optional(
      Type.Array(percent('A share of traffic.'), {
        description:
          'Shares of traffic that the new revision gets, one after the other; the last is 100%. `shadow` and `split` have one. Default: [5%, 25%, 50%, 100%] for canary, [50%] for split, else [100%].',
        errorMessage: 'a list of shares such as [5%, 25%, 50%, 100%]',
        minItems: 1,
        maxItems: 100,
      }),
    ),
    hold: Type.Optional(duration('How long each step is watched at least.', '60s')),
    maxSurge: Type.Optional(
      count('Nodes that there may be more than declared at one moment, where there is room.', { min: 0, max: 1024, default: 1 }),
    ),
    maxUnavailable: Type.Optional(count('Nodes that may be missing at one moment.', { min: 0, max: 1024, default: 0 })),
    keepOld: Type.Optional(duration('How long blue-green keeps the old set warm after the switch.', '10m')),
    header: Type.Optional(
      section(
        {
          name: Type.String({
            description: 'Its name.',
            errorMessage: 'the name of a header such as x-canary',
            pattern: '^[A-Za-z0-9-]{1,64}$',
          }),
          value: word('Its value.'),
        },
        { description: 'Requests with this header go to the new revision from the first step on.' },
      ),
    ),
    judge: Type.Optional(judge),
    rollback: Type.Optional(
      Type.Enum(['auto', 'ask'], {
        description: 'What happens when the judge says no: back at once, or a pause in which a person decides.',
        errorMessage: 'auto or ask',
        default: 'auto',
      }),
    ),
    progress: Type.Optional(duration('A rollout that gets no further for so long, pauses left out, counts as failed.', '10m')),
    webhooks: Type.Optional(
      Type.Array(url('A URL.'), {
        description: 'Told of each phase: POST with the rollout’s status as JSON.',
        errorMessage: 'a list of URLs',
        maxItems: 32,
      }),
    ),
  },
  { description: 'How a new revision of these nodes goes live; `lb rollout start` begins one.' },
)
