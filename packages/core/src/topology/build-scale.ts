import { formatDuration, formatPercent, parseDuration, parsePercent } from './quantities.js'
import type { ScalePlan, ScaleProvider, ScaleTarget, ScaleTrigger } from './scale-plan.js'
import type { TopologyInput } from './schema.js'

type Replicas = NonNullable<NonNullable<TopologyInput['pools'][string]['nodes'][number]['launch']>['replicas']>
type ScaledInput = Exclude<Replicas, number>

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** Fills in the defaults. */
export function scalePlan(input: ScaledInput): ScalePlan {
  const provider = providerOf(input.provider)
  return {
    min: input.min,
    max: input.max,
    target: targetOf(input.target),
    upAfterMs: ms(input.upAfter ?? '20s'),
    downAfterMs: ms(input.downAfter ?? '5m'),
    cooldownMs: ms(input.cooldown ?? '10s'),
    idleMs: ms(input.idle ?? '10m'),
    schedule: (input.schedule ?? []).map(({ from, to, days, min, timeZone }) => ({
      fromMinute: minuteOf(from),
      toMinute: minuteOf(to),
      ...(days === undefined ? {} : { days: days.map((day) => DAYS.indexOf(day)) }),
      min,
      ...(timeZone === undefined ? {} : { timeZone }),
    })),
    triggers: (input.triggers ?? []).map(triggerOf),
    ...(provider === undefined ? {} : { provider }),
  }
}

/** As the file would say it. */
export function scaleForm(plan: ScalePlan): object {
  const { queueSeconds, ttftP95Ms, tokensInFlight, kvUsed } = plan.target
  return {
    min: plan.min,
    max: plan.max,
    target: {
      ...(queueSeconds === undefined ? {} : { queueSeconds }),
      ...(ttftP95Ms === undefined ? {} : { ttft: formatDuration(ttftP95Ms) }),
      ...(tokensInFlight === undefined ? {} : { tokensInFlight }),
      ...(kvUsed === undefined ? {} : { kvUsed: formatPercent(kvUsed) }),
    },
    upAfter: formatDuration(plan.upAfterMs),
    downAfter: formatDuration(plan.downAfterMs),
    cooldown: formatDuration(plan.cooldownMs),
    idle: formatDuration(plan.idleMs),
    schedule: plan.schedule.map(({ fromMinute, toMinute, days, min, timeZone }) => ({
      from: clockText(fromMinute),
      to: clockText(toMinute),
      ...(days === undefined ? {} : { days: days.map((day) => DAYS[day]) }),
      min,
      ...(timeZone === undefined ? {} : { timeZone }),
    })),
    triggers: plan.triggers.map(triggerForm),
    ...(plan.provider === undefined ? {} : { provider: providerForm(plan.provider) }),
  }
}

function targetOf(input: ScaledInput['target'] = {}): ScaleTarget {
  const { queueSeconds, ttft, tokensInFlight, kvUsed } = input
  const target: ScaleTarget = {
    ...(queueSeconds === undefined ? {} : { queueSeconds }),
    ...(tokensInFlight === undefined ? {} : { tokensInFlight }),
    ...(kvUsed === undefined ? {} : { kvUsed: parsePercent(kvUsed) ?? 1 }),
    ...(ttft === undefined ? {} : { ttftP95Ms: ms(ttft) }),
  }
  return Object.keys(target).length === 0 ? { queueSeconds: 1 } : target
}

type TriggerInput = NonNullable<ScaledInput['triggers']>[number]

function triggerOf({ name, prometheus, query, url, path, gpu, perReplica, every }: TriggerInput): ScaleTrigger {
  const kind = prometheus !== undefined ? 'prometheus' : gpu === true ? 'gpu' : 'url'
  const asked = prometheus ?? url
  return {
    name: name ?? kind,
    kind,
    ...(asked === undefined ? {} : { url: asked }),
    ...(query === undefined ? {} : { query }),
    ...(path === undefined ? {} : { path }),
    perReplica,
    everyMs: ms(every ?? '15s'),
  }
}

function triggerForm({ name, kind, url, query, path, perReplica, everyMs }: ScaleTrigger): object {
  return {
    name,
    ...(kind === 'gpu' ? { gpu: true } : { [kind]: url }),
    ...(query === undefined ? {} : { query }),
    ...(path === undefined ? {} : { path }),
    perReplica,
    every: formatDuration(everyMs),
  }
}

function providerOf(input: ScaledInput['provider']): ScaleProvider | undefined {
  if (input === undefined) return undefined
  const timeoutMs = ms(input.timeout ?? '5m')
  if (input.webhook !== undefined) return { kind: 'webhook', url: input.webhook, timeoutMs }
  return { kind: 'command', up: input.up ?? [], down: input.down ?? [], timeoutMs }
}

function providerForm(provider: ScaleProvider): object {
  const timeout = formatDuration(provider.timeoutMs)
  if (provider.kind === 'webhook') return { webhook: provider.url, timeout }
  const { up, down } = provider
  return { ...(up.length === 0 ? {} : { up: [...up] }), ...(down.length === 0 ? {} : { down: [...down] }), timeout }
}

function minuteOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return 60 * hours + minutes
}

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

function ms(text: string): number {
  return parseDuration(text) ?? 0
}
