import type { RolloutWish } from '../rollout/index.js'
import { rolloutKinds, type GroupPlan, type JudgePlan, type RolloutPlan } from '../topology/index.js'
import { badBody, checkBody, type BodySchema } from './body-check.js'

const share: BodySchema = { type: 'number', minimum: 0, maximum: 1 }
const ratio: BodySchema = { type: 'number', minimum: 0, maximum: 1_000 }
const ms: BodySchema = { type: 'number', minimum: 0, maximum: 366 * 86_400_000 }
/** No control characters: what stands here becomes an argument of a process, a path or a name. */
const pattern = '^[^\\u0000-\\u001f\\u007f]*$'
const name: BodySchema = { type: 'string', minLength: 1, maxLength: 200, pattern }
const text: BodySchema = { type: 'string', minLength: 1, maxLength: 4_000, pattern }
const anything: BodySchema = { type: 'object' }

const metric: BodySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'url', 'everyMs', 'failures'],
  properties: {
    name,
    url: text,
    path: text,
    everyMs: { ...ms, minimum: 100 },
    min: { type: 'number' },
    max: { type: 'number' },
    failures: { type: 'integer', minimum: 0, maximum: 1_000 },
  },
}

const judgeProperties: Record<keyof JudgePlan, BodySchema> = {
  errorRate: share,
  ttftRatio: ratio,
  tpotRatio: ratio,
  emptyOutputs: share,
  repeatedOutputs: share,
  malformedOutputs: share,
  lengthRatio: ratio,
  minSamples: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  falseAlarmRate: share,
  goldenFile: { ...text, pattern: '^/' },
  metrics: { type: 'array', items: metric, maxItems: 32 },
}

const planProperties: Record<keyof RolloutPlan, BodySchema> = {
  kind: { type: 'string', enum: rolloutKinds },
  steps: { type: 'array', items: share, minItems: 1, maxItems: 100, description: 'shares of traffic, growing' },
  holdMs: ms,
  maxSurge: { type: 'integer', minimum: 0, maximum: 1_024 },
  maxUnavailable: { type: 'integer', minimum: 0, maximum: 1_024 },
  keepOldMs: ms,
  header: { type: 'object', additionalProperties: false, required: ['name', 'value'], properties: { name, value: text } },
  judge: {
    type: 'object',
    additionalProperties: false,
    properties: judgeProperties,
    description: 'what is not said stays as the pool has it',
  },
  rollback: { type: 'string', enum: ['auto', 'ask'] },
  progressMs: { ...ms, minimum: 1 },
  webhooks: { type: 'array', items: text, maxItems: 32 },
}

const launch: BodySchema = {
  type: 'object',
  required: ['replicas', 'settings', 'env', 'restarts'],
  properties: {
    replicas: { type: 'integer', minimum: 1, maximum: 1_024 },
    settings: anything,
    env: anything,
    restarts: {
      type: 'object',
      required: ['max', 'withinMs'],
      properties: { max: { type: 'integer', minimum: 0, maximum: 1_000_000 }, withinMs: ms },
    },
    command: { type: 'array', items: text, minItems: 1 },
  },
}

const group: BodySchema = {
  type: 'object',
  description: 'a node group as `lb config --json` would resolve it: what `lb rollout start --file` sends',
  required: ['name', 'engine', 'weight'],
  properties: {
    name,
    engine: name,
    weight: { type: 'number', minimum: 0, maximum: 1_000_000 },
    launch,
    attach: { type: 'object', required: ['url'], properties: { url: text } },
    source: anything,
  },
}

const revision: BodySchema = { type: 'string', pattern: '^r[0-9]{1,9}$' }

/** What `POST /v1/rollouts` takes. */
export const wishBody: BodySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['pool'],
  properties: {
    pool: name,
    group: name,
    model: text,
    set: { ...anything, description: 'settings by their path in the node group: {"launch.args.maxModelLen": 4096}' },
    groups: { type: 'array', items: group, minItems: 1, maxItems: 256 },
    to: name,
    revision,
    revisions: {
      type: 'array',
      items: { type: 'object', additionalProperties: false, required: ['group', 'revision'], properties: { group: name, revision } },
      minItems: 1,
      maxItems: 256,
    },
    plan: { type: 'object', additionalProperties: false, properties: planProperties },
  } satisfies Record<keyof RolloutWish, BodySchema>,
}

export const scaleBody: BodySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['replicas'],
  properties: { replicas: { type: 'integer', minimum: 0, maximum: 1_024 }, group: name },
}

/** Throws LB_BAD_CONTROL_REQUEST (400). */
export function wishOf(body: unknown): RolloutWish {
  checkBody(wishBody, body)
  const wish = body as RolloutWish
  const said = (['model', 'set', 'groups', 'to', 'revision', 'revisions'] as const).filter((key) => wish[key] !== undefined)
  if (said.length === 0)
    throw badBody('', 'says no change: one of `model`, `set`, `groups`, `to`, `revision` and `revisions` must be there')
  for (const [index, each] of (wish.groups ?? []).entries()) checkGroup(each, `groups[${index}]`)
  checkSteps(wish.plan?.steps ?? [])
  return wish
}

/** Throws LB_BAD_CONTROL_REQUEST (400). */
export function scaleOf(body: unknown): { readonly replicas: number; readonly group?: string } {
  checkBody(scaleBody, body)
  return body as { replicas: number; group?: string }
}

function checkGroup(group: GroupPlan, at: string): void {
  const ways = (['launch', 'attach', 'source'] as const).filter((key) => group[key] !== undefined)
  if (ways.length !== 1) throw badBody(at, 'must have exactly one of launch, attach and source')
}

function checkSteps(steps: readonly number[]): void {
  const falls = steps.findIndex((step, index) => index > 0 && step <= (steps[index - 1] ?? 0))
  if (falls > 0) throw badBody(`plan.steps[${falls}]`, 'must be more than the step before it')
}
