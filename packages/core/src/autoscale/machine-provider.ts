import type { Clock } from '../base/index.js'
import { isLbError, messageOf } from '../errors/index.js'
import type { ScaleProvider } from '../topology/index.js'
import { runCommand, type CommandEnd } from './run-command.js'

/** What a provider is told. */
export interface MachineWish {
  readonly pool: string
  readonly group: string
  readonly from: number
  readonly wanted: number
}

export interface ProviderContext {
  readonly clock: Clock
  readonly env: NodeJS.ProcessEnv
  /** Sends JSON; throws for an answer that is not of 2xx. */
  readonly post: (url: string, body: unknown, withinMs: number) => Promise<void>
}

/** A provider that did not do what it was asked. */
export class ProviderFailed extends Error {
  constructor(
    message: string,
    /** It said no itself. False: it was cut short, and nobody knows what it has done. */
    readonly isAnswer: boolean,
  ) {
    super(message)
  }
}

/** Brings or returns machines; resolves when the provider says it is done. Throws ProviderFailed with what it said instead. */
export async function callProvider(provider: ScaleProvider, wish: MachineWish, context: ProviderContext): Promise<void> {
  const isUp = wish.wanted > wish.from
  if (provider.kind === 'webhook') return postTo(provider, { ...wish, direction: isUp ? 'up' : 'down' }, context)
  const [program, ...args] = isUp ? provider.up : provider.down
  if (program === undefined) return
  const { clock, env } = context
  const told = { LB_POOL: wish.pool, LB_GROUP: wish.group, LB_FROM: String(wish.from), LB_WANTED: String(wish.wanted) }
  const end = await runCommand({ command: [program, ...args], env: { ...env, ...told }, clock, timeoutMs: provider.timeoutMs })
  if (end.how === 'exit' && end.code === 0) return
  throw new ProviderFailed(`${program}: ${endWords(end, provider.timeoutMs)}`, end.how === 'exit' || end.how === 'not-started')
}

async function postTo({ url, timeoutMs }: { readonly url: string; readonly timeoutMs: number }, body: object, { post }: ProviderContext) {
  try {
    await post(url, body, timeoutMs)
  } catch (error) {
    throw new ProviderFailed(messageOf(error), isLbError(error) && error.code === 'LB_URL_REFUSED')
  }
}

function endWords({ how, code, said }: CommandEnd, timeoutMs: number): string {
  const last = said === '' ? '' : `: ${said}`
  if (how === 'timeout') return `not done within ${timeoutMs / 1_000} s, and ended${last}`
  if (how === 'not-started') return `cannot be started (${String(code)})`
  if (how === 'signal') return `ended by ${String(code)}${last}`
  return said === '' ? `ended with ${String(code)}` : said
}
