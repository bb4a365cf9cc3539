import type { RolloutWish } from '@plimsoll/core/client'
import { wrongInput } from '../wrong-input.js'
import { durationMs } from './duration-flag.js'

/** What `lb rollout start` was told. */
export interface StartFlags {
  readonly model?: string | undefined
  readonly set?: readonly string[] | undefined
  readonly group?: string | undefined
  readonly to?: string | undefined
  readonly revision?: string | undefined
  readonly kind?: string | undefined
  readonly steps?: string | undefined
  readonly hold?: string | undefined
  readonly header?: string | undefined
  readonly rollback?: string | undefined
}

/** The flags as a wish for control. Throws LB_WRONG_INPUT. */
export function wishFrom(pool: string, flags: StartFlags): RolloutWish {
  const { model, group, to, revision } = flags
  const given = Object.entries({ model, group, to, revision }).filter(([, value]) => value !== undefined)
  const plan = planFrom(flags)
  return {
    pool,
    ...(Object.fromEntries(given) as Pick<RolloutWish, 'model' | 'group' | 'to' | 'revision'>),
    ...(flags.set === undefined ? {} : { set: settingsFrom(flags.set) }),
    ...(Object.keys(plan).length === 0 ? {} : { plan }),
  }
}

function planFrom({ kind, steps, hold, header, rollback }: StartFlags): NonNullable<RolloutWish['plan']> {
  return {
    ...(kind === undefined ? {} : { kind: kind as NonNullable<NonNullable<RolloutWish['plan']>['kind']> }),
    ...(steps === undefined ? {} : { steps: sharesFrom(steps) }),
    ...(hold === undefined ? {} : { holdMs: durationMs('--hold', hold) }),
    ...(header === undefined ? {} : { header: headerFrom(header) }),
    ...(rollback === undefined ? {} : { rollback: rollback as 'auto' | 'ask' }),
  }
}

/** `5%,25%,100%` as shares. */
function sharesFrom(text: string): number[] {
  const shares = text.split(',').map((part) => shareFrom(part.trim(), text))
  const falls = shares.findIndex((share, index) => index > 0 && share <= (shares[index - 1] ?? 0))
  if (falls > 0) throw wrongInput(`--steps ${text} does not grow at its step ${falls + 1}`, 'write growing shares: --steps 5%,25%,100%')
  return shares
}

function shareFrom(part: string, whole: string): number {
  const percent = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(part)?.[1]
  const share = Number(percent) / 100
  if (share > 0 && share <= 1) return share
  throw wrongInput(`--steps ${whole}: \`${part}\` is no share of the traffic`, 'write each as a percentage up to 100%: --steps 5%,25%,100%')
}

/** `x-try=new` as a header's name and value. */
function headerFrom(text: string): { name: string; value: string } {
  const [, name = '', value = ''] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)[=:]\s*(.+)$/.exec(text) ?? []
  if (name !== '') return { name: name.toLowerCase(), value: value.trim() }
  throw wrongInput(`--header ${text} is no header with a value`, 'write it as NAME=VALUE: --header x-try=new')
}

/** `launch.args.maxModelLen=4096`: a value that reads as JSON is taken as such, any other as text. */
function settingsFrom(texts: readonly string[]): Record<string, unknown> {
  const pairs = texts.map((text) => {
    const at = text.indexOf('=')
    const path = at < 0 ? '' : text.slice(0, at).trim()
    if (path === '' || path.split('.').some((part) => part === ''))
      throw wrongInput(`--set ${text} is no setting with a value`, 'write it as PATH=VALUE: --set launch.args.maxModelLen=4096')
    return [path, valueFrom(text.slice(at + 1))] as const
  })
  const twice = pairs.find(([path], index) => pairs.findIndex(([other]) => other === path) !== index)
  if (twice !== undefined) throw wrongInput(`--set ${twice[0]} is given twice`, 'say it once')
  return Object.fromEntries(pairs)
}

function valueFrom(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
