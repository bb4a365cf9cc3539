import type { JsonSchema } from '@plimsoll/core'
import { textTable } from './text-table.js'

/** One way to choose a node. */
export interface ListedStrategy {
  readonly name: string
  readonly aliases: readonly string[]
  readonly summary: string
  readonly settings: JsonSchema
  readonly isDefault: boolean
  /** The plugin that brings it; null: it comes with lb. */
  readonly packageName: string | null
}

export function strategyTable(strategies: readonly ListedStrategy[]): string {
  return textTable(
    ['STRATEGY', 'ALSO', 'WHAT IT DOES'],
    strategies.map((each) => [markedName(each), each.aliases.join(', '), each.summary]),
  )
}

function markedName({ name, isDefault, packageName }: ListedStrategy): string {
  if (packageName !== null) return `${name} (${packageName})`
  return isDefault ? `${name} (default)` : name
}

/** One strategy with everything that can be set, and how to write it. */
export function strategyText({ name, aliases, summary, settings, isDefault }: ListedStrategy): string {
  const title = [name, ...(aliases.length === 0 ? [] : [`also called ${aliases.join(', ')}`]), ...(isDefault ? ['the default'] : [])].join(
    ', ',
  )
  const rows = Object.entries((settings['properties'] ?? {}) as Readonly<Record<string, Setting>>).map(([key, setting]) => [
    key,
    kindOf(setting),
    setting.default === undefined ? '-' : JSON.stringify(setting.default),
    setting.description ?? '',
  ])
  const table = rows.length === 0 ? 'No settings.\n' : textTable(['SETTING', 'VALUE', 'DEFAULT', 'WHAT IT IS'], rows)
  const first = rows[0]
  const example = first === undefined ? name : `{ name: ${name}, ${first[0]}: ${first[2] === '-' ? '...' : first[2]} }`
  return `${title}\n${summary}\n\n${table}\nstrategy: ${example}\n`
}

/** What a settings schema says of one key. */
interface Setting {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly description?: string
}

function kindOf({ type = 'any', enum: values, minimum, maximum }: Setting): string {
  if (values !== undefined) return values.map(String).join(' | ')
  if (minimum === undefined && maximum === undefined) return type
  return maximum === undefined ? `${type} from ${minimum}` : `${type} ${minimum ?? ''}..${maximum}`
}
