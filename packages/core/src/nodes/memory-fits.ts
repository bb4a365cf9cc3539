import type { FitOption, MemoryRoom } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { gib } from './gpu-names.js'
import { gpuWishOf } from './gpu-wish-of.js'
import { hasOwnCommandLine } from './launch-command.js'
import { createBackend, type BackendContext } from './node-runner.js'
import type { NodePlan } from './node-plan.js'

/** One change with which a model that does not fit would, in the words of the topology. */
export interface MemoryFit {
  /** `launch.args: { contextTokens: 8192 }`. */
  readonly change: string
  /** The same by path: `launch.args.contextTokens`; empty where no setting does it. */
  readonly settings: Readonly<Record<string, string | number | boolean>>
  /** Accelerators that it would be spread over; 1 for main memory. */
  readonly count: number
  /** Of all of them together. */
  readonly mib: number
  /** What it costs. */
  readonly why: string
}

export interface MemoryFits {
  /** The least harmful first. */
  readonly ways: readonly MemoryFit[]
  /** What the engine's plugin did wrong when it was asked. */
  readonly problem?: string
}

const MOST_WAYS = 4
const MOST_COUNT = 64

/** Asks a node's engine what would make its model fit. What it says is checked against the room; a plugin that throws or answers nonsense is named, and its good answers count. */
export function memoryFits(plan: NodePlan, room: MemoryRoom, context: BackendContext): MemoryFits {
  const { launch, engine } = plan.group
  const wish = gpuWishOf(plan)
  // What the topology says of the need, or of the whole command line, no setting changes.
  if (launch === undefined || hasOwnCommandLine(launch) || (wish?.kind === 'counted' && wish.needMiB !== undefined)) return { ways: [] }
  try {
    const said: unknown = createBackend(plan, 'http://127.0.0.1:0', context).backend.fitOptions?.(room) ?? []
    if (!Array.isArray(said)) return nonsense(engine, said)
    const good = said.filter((option: unknown) => isOption(option, room))
    const bad: unknown = said.find((option: unknown) => !isOption(option, room))
    const ways = good.slice(0, MOST_WAYS).map((option) => fitOf(option, room))
    return { ways, ...(bad === undefined ? {} : { problem: nonsense(engine, bad).problem }) }
  } catch (error) {
    return { ways: [], problem: `the plugin of engine \`${engine}\` cannot say what would fit: ${messageOf(error)}` }
  }
}

/** `launch.args: { contextTokens: 8192 } would fit (9.1 GiB)`. */
export function fitText({ change, mib, count }: MemoryFit): string {
  return `${change} would fit (${count === 1 ? gib(mib) : `${gib(mib / count)} on each`})`
}

function nonsense(engine: string, said: unknown): MemoryFits & { readonly problem: string } {
  const shown = (JSON.stringify(said) ?? typeof said).slice(0, 120)
  return { ways: [], problem: `the plugin of engine \`${engine}\` names what would not fit or makes no sense: ${shown}` }
}

function isOption(said: unknown, { freeMiB, count: now }: MemoryRoom): said is FitOption {
  if (typeof said !== 'object' || said === null) return false
  const { args, change, count, mib, why } = said as Partial<Record<keyof FitOption, unknown>>
  if (typeof args !== 'object' || args === null || !Object.entries(args).every(isSetting)) return false
  const isSaid = change === undefined ? Object.keys(args).length > 0 || count !== now : isLine(change)
  if (!isSaid || !isLine(why) || !isAmount(mib) || !isAmount(count) || !Number.isInteger(count) || count > MOST_COUNT) return false
  return mib / count <= (freeMiB[count - 1] ?? 0)
}

function isSetting([name, value]: [string, unknown]): boolean {
  return /^\w{1,64}$/.test(name) && (isLine(value) || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
}

function isLine(value: unknown): value is string {
  return typeof value === 'string' && /^[^\n]{1,500}$/.test(value)
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function fitOf({ args, change, count, mib, why }: FitOption, room: MemoryRoom): MemoryFit {
  const gpus = count === room.count ? {} : { perReplica: count }
  const words = [...(change === undefined ? [] : [change]), ...written('launch.args', args), ...written('launch.gpus', gpus)]
  return { change: words.join(' and '), settings: { ...byPath('launch.args', args), ...byPath('launch.gpus', gpus) }, count, mib, why }
}

function written(path: string, settings: FitOption['args']): string[] {
  const inside = Object.entries(settings).map(([name, value]) => `${name}: ${value}`)
  return inside.length === 0 ? [] : [`${path}: { ${inside.join(', ')} }`]
}

function byPath(path: string, settings: FitOption['args']): MemoryFit['settings'] {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`${path}.${name}`, value]))
}
