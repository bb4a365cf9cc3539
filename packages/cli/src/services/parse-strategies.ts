import type { JsonSchema, StrategyRegistry } from '@plimsoll/core'
import type { StrategyChoice } from '@plimsoll/simulate'
import { wrongInput } from '../wrong-input.js'

/** A strategy as it was asked for. */
export interface LabelledStrategy extends StrategyChoice {
  /** As people tell it from the others: name and settings. */
  readonly label: string
  readonly settings: Readonly<Record<string, unknown>>
}

const HINT = 'write --strategy lmetric,marginal-cost:batch=2+queue=0.5; lb strategies --json shows what can be set'

/** `a,b:key=value+key=value`; values are numbers, true, false or words, checked against what the strategy takes. Throws LB_WRONG_INPUT. */
export function parseStrategies(text: string, registry: StrategyRegistry): LabelledStrategy[] {
  const choices = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseStrategy(part, registry))
  if (choices.length === 0) throw wrongInput('--strategy names none', HINT)
  return [...new Map(choices.map((choice) => [choice.label, choice])).values()]
}

/** By its own name, where an alias was typed. */
function parseStrategy(label: string, registry: StrategyRegistry): LabelledStrategy {
  const colon = label.indexOf(':')
  const typed = colon < 0 ? label : label.slice(0, colon)
  const plugin = registry.find(typed)
  if (plugin === undefined)
    throw wrongInput(`there is no strategy ${typed}`, `known are ${registry.all.map(({ name }) => name).join(', ')}`)
  const pairs = colon < 0 ? [] : label.slice(colon + 1).split('+')
  const settings = Object.fromEntries(pairs.map((pair) => settingOf(pair, plugin.name, plugin.settings)))
  return { name: plugin.name, label, settings }
}

function settingOf(pair: string, strategy: string, schema: JsonSchema): [string, unknown] {
  const [, key, text] = /^([^=]+)=(.*)$/.exec(pair) ?? []
  if (key === undefined || text === undefined) throw wrongInput(`--strategy ${strategy}: "${pair}" is no key=value`, HINT)
  const known = propertiesOf(schema)
  const property = Object.hasOwn(known, key) ? known[key] : undefined
  if (property === undefined) {
    const keys = Object.keys(known)
    throw wrongInput(`${strategy} has no setting ${key}`, keys.length === 0 ? 'it has none at all' : `it has ${keys.join(', ')}`)
  }
  const value = valueOf(text)
  const wrong = mismatch(value, property)
  if (wrong !== undefined) throw wrongInput(`${strategy}: ${key} is ${JSON.stringify(value)}; ${wrong}`, HINT)
  return [key, value]
}

/** The settings of a strategy by name. */
export function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>
}

function valueOf(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

/** What a plain value would have to be; undefined where it is that. Lists and objects are for a topology file. */
function mismatch(value: unknown, schema: JsonSchema): string | undefined {
  const { type, minimum, maximum, enum: allowed } = schema
  if (Array.isArray(allowed)) return allowed.includes(value) ? undefined : `it is one of ${allowed.join(', ')}`
  if (type === 'array' || type === 'object') return 'write it into a topology file and name that with --topology'
  if (typeof type === 'string' && type !== (type === 'integer' && Number.isInteger(value) ? 'integer' : typeof value))
    return `it is a ${type}`
  if (typeof value !== 'number') return undefined
  if (typeof minimum === 'number' && value < minimum) return `it is at least ${minimum}`
  return typeof maximum === 'number' && value > maximum ? `it is at most ${maximum}` : undefined
}
